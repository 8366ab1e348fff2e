"""Adam and AdamW: the step of each parameter is scaled by the size of its own past gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

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
    from .mask import Mask


class AdamState(NamedTuple):
    """The number of finished steps, and the moments: moving averages of the gradient and of its square."""

    count: jax.Array
    mu: PyTree
    nu: PyTree


def scale_by_adam(b1: Number = 0.9, b2: Number = 0.999, eps: Number = 1e-8, *, nesterov: bool = False) -> Transform:
    """Compute the update of `adam` before the learning rate; with `nesterov` that of NAdam (Dozat, 2016).

    Raises:
      ValueError: not (0 <= b1, b2 < 1 and eps > 0).
    """
    check_decay("adam", "b1", b1)
    check_decay("adam", "b2", b2)
    check_above("adam", "eps", eps, 0, "It keeps a zero gradient from dividing by zero; usual is 1e-8.")

    def init(params: PyTree) -> AdamState:
        return AdamState(jnp.zeros((), jnp.int32), zeros_for_state(params), zeros_for_state(params))

    def update(updates: PyTree, state: AdamState, params: PyTree = None) -> tuple[PyTree, AdamState]:
        gradient = cast_like(updates, state.mu)
        count = state.count + 1
        mu = update_moment(b1, state.mu, gradient)
        nu = update_moment(b2, state.nu, jax.tree.map(jnp.square, gradient))
        direction = nesterov_moment(b1, mu, gradient, count) if nesterov else bias_correction(b1, mu, count)
        steps = jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), direction, bias_correction(b2, nu, count))
        return steps, AdamState(count, mu, nu)

    return Transform(init, update)


def bias_correction(decay: Number, moment: PyTree, count: jax.Array) -> PyTree:
    """Return moment / (1 - decay^count): an average that started at zero, divided by the sum of its coefficients."""
    correction = 1 / (1 - decay**count)  # Once, so that the elements are multiplied and not divided.
    return jax.tree.map(lambda m: m * correction, moment)


def nesterov_moment(decay: Number, moment: PyTree, gradient: PyTree, count: jax.Array) -> PyTree:
    """Return Nesterov's direction: the corrected moment one step later, if the gradient stays the same."""
    return update_moment(decay, bias_correction(decay, moment, count + 1), bias_correction(decay, gradient, count))


def adam(learning_rate: Number | Schedule, b1: Number = 0.9, b2: Number = 0.999, eps: Number = 1e-8) -> Transform:
    """Return Adam (Kingma & Ba, 2015, arXiv:1412.6980).

    mu <- b1 mu + (1 - b1) g;   nu <- b2 nu + (1 - b2) g^2
    p  <- p - learning_rate * (mu / (1 - b1^t)) / (sqrt(nu / (1 - b2^t)) + eps)

    Raises:
      ValueError: the learning rate is negative, eps is not positive, or b1 or b2 is outside [0, 1).
    """
    return chain(scale_by_adam(b1, b2, eps), scale_by_learning_rate(learning_rate))


def adamw(
    learning_rate: Number | Schedule,
    b1: Number = 0.9,
    b2: Number = 0.999,
    eps: Number = 1e-8,
    *,
    weight_decay: Number = 1e-4,
    mask: Mask = None,
) -> Transform:
    """Return Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv:1711.05101).

    p <- p - learning_rate * (adam's step + weight_decay * p), the last term only where `mask` is true.

    Biases and norms are usually not decayed: `mask=lambda params: jax.tree.map(lambda p: p.ndim >= 2, params)`.

    Raises:
      ValueError: as in `adam` and `add_decayed_weights`.
    """
    return chain(
        scale_by_adam(b1, b2, eps), add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate)
    )
