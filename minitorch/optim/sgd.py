"""Stochastic gradient descent, plain or with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax

from .transform import Schedule, Transform, cast_like, chain, scale_by_learning_rate, zeros_for_state
from .validation import Number, check_decay

if TYPE_CHECKING:
    from .._types import PyTree


class TraceState(NamedTuple):
    """The velocity: a decaying sum of gradients."""

    trace: PyTree


def trace(decay: Number, nesterov: bool = False) -> Transform:
    """Return the velocity v <- g + decay * v as the update; with `nesterov` g + decay * v, with the new v.

    Raises:
      ValueError: the decay is outside [0, 1).
    """
    check_decay("trace", "decay", decay)

    def add_decayed(gradient: PyTree, velocity: PyTree) -> PyTree:
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def update(updates: PyTree, state: TraceState, params: PyTree = None) -> tuple[PyTree, TraceState]:
        gradient = cast_like(updates, state.trace)
        velocity = add_decayed(gradient, state.trace)
        return add_decayed(gradient, velocity) if nesterov else velocity, TraceState(velocity)

    return Transform(lambda params: TraceState(zeros_for_state(params)), update)


def sgd(learning_rate: Number | Schedule, momentum: Number | None = None, nesterov: bool = False) -> Transform:
    """Return gradient descent, p <- p - learning_rate * g (Robbins & Monro, 1951), with momentum if that is given.

    v <- g + momentum * v;  p <- p - learning_rate * v                       (Polyak, 1964)
    Nesterov: p <- p - learning_rate * (g + momentum * v)                    (Sutskever et al., 2013)

    Raises:
      ValueError: the learning rate is negative, the momentum is outside [0, 1), or `nesterov` has no momentum.
    """
    if momentum is None:
        if nesterov:
            raise ValueError(
                "sgd: nesterov=True needs a momentum, but momentum is None. "
                "Write sgd(learning_rate, momentum=0.9, nesterov=True)."
            )
        return scale_by_learning_rate(learning_rate)
    return chain(trace(momentum, nesterov), scale_by_learning_rate(learning_rate))
