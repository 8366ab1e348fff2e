"""Muon: the momentum of a matrix is made nearly orthogonal, so that every direction in it learns equally fast."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .adam import nesterov_moment, scale_by_adam
from .partition import partition
from .transform import (
    Schedule,
    Transform,
    add_decayed_weights,
    cast_like,
    chain,
    scale_by_learning_rate,
    update_moment,
    zeros_for_state,
)
from .validation import Number, check_above, check_decay


def newton_schulz(matrix: jax.Array, steps: int = 5, eps: Number = 1e-8) -> jax.Array:
    """A matrix with the singular vectors of `matrix` and singular values near 1 (0.7 to 1.2), found without an SVD.

    X <- a X + (b A + c A A) X  with A = X X^T, from X = matrix / (||matrix||_F + eps). The quintic acts on each
    singular value alone. Keller Jordan's coefficients trade convergence to exactly 1, which training does not need,
    for a steep slope at 0, which lifts small singular values in few steps.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T  # the smaller X X^T
    x = x / (jnp.linalg.norm(x) + eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


class MuonState(NamedTuple):
    """Finished steps, and the moving average of the gradient, shaped like the parameters."""

    count: jax.Array
    mu: Any


def scale_by_muon(beta: Number = 0.95, eps: Number = 1e-8) -> Transform:
    """The update of `muon` before decay and learning rate; every leaf must be a matrix.

    Raises ValueError unless 0 <= beta < 1 and eps > 0.
    """
    check_decay("muon", "beta", beta)
    check_above("muon", "eps", eps, 0, "It keeps a zero gradient from dividing by zero; usual is 1e-8.")

    def orthogonal(matrix: jax.Array) -> jax.Array:
        d_in, d_out = matrix.shape
        return max(1.0, d_out / d_in) ** 0.5 * newton_schulz(matrix, eps=eps)

    def init(params: Any) -> MuonState:
        return MuonState(jnp.zeros((), jnp.int32), zeros_for_state(params))

    def update(updates: Any, state: MuonState, params: Any = None) -> tuple[Any, MuonState]:
        gradient = cast_like(updates, state.mu)
        count = state.count + 1
        mu = update_moment(beta, state.mu, gradient)
        return jax.tree.map(orthogonal, nesterov_moment(beta, mu, gradient, count)), MuonState(count, mu)

    return Transform(init, update)


def muon(
    learning_rate: Number | Schedule,
    *,
    beta: Number = 0.95,
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    adam_b1: Number = 0.9,
    adam_b2: Number = 0.999,
    adam_weight_decay: Number = 0.0,
    adam_learning_rate: Number | Schedule | None = None,
) -> Transform:
    """Muon for parameters of two axes, AdamW for the others (Keller Jordan, 2024, kellerjordan.github.io/posts/muon).

    mu <- beta mu + (1 - beta) g;   u = newton_schulz(Nesterov's look ahead along mu)
    p  <- p - learning_rate * (sqrt(max(1, d_out / d_in)) * u + weight_decay * p)    for p of shape (d_in, d_out)

    As in optax.contrib.muon, whose defaults these are, the AdamW looks ahead too, and `adam_learning_rate` is
    `learning_rate` unless given. Embeddings and the output layer are matrices that do better with AdamW:
    `partition(is_hidden, muon(0.02), adamw(3e-4))`.

    Raises ValueError for a negative learning rate or decay, a beta outside [0, 1), or (in `init`) parameters without
    a matrix, such as a whole model ravelled into one vector: they would silently train with AdamW alone.
    """
    matrices = chain(scale_by_muon(beta, eps), add_decayed_weights(weight_decay), scale_by_learning_rate(learning_rate))
    rest = chain(
        scale_by_adam(adam_b1, adam_b2, eps, nesterov=True),
        add_decayed_weights(adam_weight_decay),
        scale_by_learning_rate(learning_rate if adam_learning_rate is None else adam_learning_rate),
    )
    both = partition(lambda params: jax.tree.map(lambda p: p.ndim == 2, params), matrices, rest)

    def init(params: Any) -> Any:
        if not any(p.ndim == 2 for p in jax.tree.leaves(params)):
            raise ValueError(
                "muon: no parameter has two axes, so there is nothing to orthogonalise. Pass the parameters as a tree "
                "of matrices, not ravelled into one vector, or use adamw."
            )
        return both.init(params)

    return Transform(init, both.update)
