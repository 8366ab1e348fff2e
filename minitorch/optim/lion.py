"""Lion: the update is a sign, so all parameters move by the same amount. One moment, half of Adam's memory."""

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
from .validation import Number, check_decay

if TYPE_CHECKING:
    from .._types import PyTree
    from .mask import Mask


class LionState(NamedTuple):
    """The moving average of the gradient, shaped like the parameters."""

    mu: PyTree


def scale_by_lion(b1: Number = 0.9, b2: Number = 0.99) -> Transform:
    """Compute the update of `lion` before decay and learning rate.

    Raises:
      ValueError: b1 or b2 is outside [0, 1).
    """
    check_decay("lion", "b1", b1)
    check_decay("lion", "b2", b2)

    def update(updates: PyTree, state: LionState, params: PyTree = None) -> tuple[PyTree, LionState]:
        gradient = cast_like(updates, state.mu)
        steps = jax.tree.map(jnp.sign, update_moment(b1, state.mu, gradient))
        return steps, LionState(update_moment(b2, state.mu, gradient))

    return Transform(lambda params: LionState(zeros_for_state(params)), update)


def lion(
    learning_rate: Number | Schedule,
    b1: Number = 0.9,
    b2: Number = 0.99,
    *,
    weight_decay: Number = 1e-3,
    mask: Mask = None,
) -> Transform:
    """Return Lion (Chen et al., 2023, arXiv:2302.06675). Use a learning rate 3 to 10 times smaller than for AdamW.

    p  <- p - learning_rate * (sign(b1 mu + (1 - b1) g) + weight_decay * p), the last term only where `mask` is true
    mu <- b2 mu + (1 - b2) g

    Raises:
      ValueError: the learning rate is negative, b1 or b2 is outside [0, 1), or as in `add_decayed_weights`.
    """
    return chain(scale_by_lion(b1, b2), add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))
