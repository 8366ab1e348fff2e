"""Stochastic gradient descent, plain or with momentum."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from .transform import Schedule, Transform, cast_like, chain, scale_by_learning_rate, zeros_for_state
from .validation import Number, check_decay


class TraceState(NamedTuple):
    """The velocity, shaped like the parameters."""

    trace: Any


def trace(decay: Number, nesterov: bool = False) -> Transform:
    """v <- g + decay * v, which is the update; with `nesterov` the update is g + decay * v.

    Raises ValueError unless 0 <= decay < 1.
    """
    check_decay("trace", "decay", decay)

    def push(gradient: Any, velocity: Any) -> Any:
        return jax.tree.map(lambda g, v: g + decay * v, gradient, velocity)

    def update(updates: Any, state: TraceState, params: Any = None) -> tuple[Any, TraceState]:
        gradient = cast_like(updates, state.trace)
        velocity = push(gradient, state.trace)
        return push(gradient, velocity) if nesterov else velocity, TraceState(velocity)

    return Transform(lambda params: TraceState(zeros_for_state(params)), update)


def sgd(learning_rate: Number | Schedule, momentum: Number | None = None, nesterov: bool = False) -> Transform:
    """p <- p - learning_rate * g (Robbins & Monro, 1951), with a velocity in place of g if `momentum` is given.

    v <- g + momentum * v;  p <- p - learning_rate * v                       (Polyak, 1964)
    Nesterov: p <- p - learning_rate * (g + momentum * v)                    (Sutskever et al., 2013)

    Raises ValueError for a negative learning rate, a momentum outside [0, 1), or `nesterov` without momentum.
    """
    if momentum is None:
        if nesterov:
            raise ValueError(
                "sgd: nesterov=True looks ahead along the momentum, but momentum is None. "
                "Write sgd(learning_rate, momentum=0.9, nesterov=True)."
            )
        return scale_by_learning_rate(learning_rate)
    return chain(trace(momentum, nesterov), scale_by_learning_rate(learning_rate))
