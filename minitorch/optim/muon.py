"""Muon: the momentum of a matrix is orthogonalized approximately, so that all directions learn equally fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

if TYPE_CHECKING:
    from .._types import PyTree


def newton_schulz(matrix: jax.Array, steps: int = 5, eps: Number = 1e-8) -> jax.Array:
    """Return a matrix with the singular vectors of `matrix` and singular values near 1 (0.7 to 1.2), without an SVD.

    X <- a X + (b A + c A A) X  with A = X X^T, from X = matrix / (||matrix||_F + eps). The quintic polynomial acts on
    each singular value separately. Keller Jordan's coefficients trade convergence to exactly 1, which training does not
    need, for a steep slope at 0, which raises small singular values in few steps.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T  # X X^T is then the smaller Gram matrix.
    x = x / (jnp.linalg.norm(x) + eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


class MuonState(NamedTuple):
    """The number of finished steps, and the moving average of the gradient."""

    count: jax.Array
    mu: PyTree


def scale_by_muon(beta: Number = 0.95, eps: Number = 1e-8) -> Transform:
    """Compute the update of `muon` before decay and learning rate; every leaf must be a matrix.

    Raises:
      ValueError: not (0 <= beta < 1 and eps > 0).
    """
    check_decay("muon", "beta", beta)
    check_above("muon", "eps", eps, 0, "It keeps a zero gradient from dividing by zero; usual is 1e-8.")

    def orthogonal(matrix: jax.Array) -> jax.Array:
        d_in, d_out = matrix.shape
        return max(1.0, d_out / d_in) ** 0.5 * newton_schulz(matrix, eps=eps)

    def init(params: PyTree) -> MuonState:
        return MuonState(jnp.zeros((), jnp.int32), zeros_for_state(params))

    def update(updates: PyTree, state: MuonState, params: PyTree = None) -> tuple[PyTree, MuonState]:
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
    """Return Muon for parameters with two axes, and AdamW for the others.

    mu <- beta mu + (1 - beta) g;   u = newton_schulz(nesterov_moment(mu))
    p  <- p - learning_rate * (sqrt(max(1, d_out / d_in)) * u + weight_decay * p)    for p of shape (d_in, d_out)

    As in optax.contrib.muon, AdamW uses Nesterov's direction, too, and by default the same learning rate. Embeddings
    and the output layer are matrices that learn better with AdamW: `partition(is_hidden, muon(0.02), adamw(3e-4))`.

    Source: Keller Jordan, 2024, kellerjordan.github.io/posts/muon.

    Raises:
      ValueError: a learning rate or decay is negative, a beta not in [0, 1), or (in `init`) no parameter is a matrix.
    """
    matrices = chain(scale_by_muon(beta, eps), add_decayed_weights(weight_decay), scale_by_learning_rate(learning_rate))
    rest = chain(
        scale_by_adam(adam_b1, adam_b2, eps, nesterov=True),
        add_decayed_weights(adam_weight_decay),
        scale_by_learning_rate(learning_rate if adam_learning_rate is None else adam_learning_rate),
    )
    both = partition(lambda params: jax.tree.map(lambda p: jnp.ndim(p) == 2, params), matrices, rest)

    def init(params: PyTree) -> PyTree:
        if not any(jnp.ndim(p) == 2 for p in jax.tree.leaves(params)):
            raise ValueError(
                "muon: no parameter has two axes, so there is nothing to orthogonalize. Pass the parameters as a tree "
                "of matrices, not ravelled into one vector, or use adamw."
            )
        return both.init(params)

    return Transform(init, both.update)
