"""An optimizer is a pair of pure functions, and `chain` joins several pairs into one.

Gradients go in, updates to add to the parameters come out, and whatever must be remembered is a pytree of arrays
handed back to the caller. The signatures are optax's, so a pair of ours runs in any optax loop and theirs in ours.

Running averages of gradients are kept in float32 even for bfloat16 parameters: bfloat16 has 8 bits of precision, so
0.999 * nu would round back to nu and the average would never forget. Updates leave in that precision too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .mask import Mask, resolve_mask
from .validation import Number, check_at_least, need_params

Schedule = Callable[[Any], Any]
"""The number of finished steps (an int or a scalar array) -> the value to use in the next step."""


class Transform(NamedTuple):
    """`init(params) -> state` and `update(updates, state, params=None) -> (updates, state)`."""

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


def stateless(update: Callable[[Any, Any], Any]) -> Transform:
    """The transform of a function `(updates, params) -> updates` that remembers nothing."""
    return Transform(lambda params: (), lambda updates, state, params=None: (update(updates, params), state))


def chain(*transforms: Any) -> Transform:
    """Feed the updates of each transform to the next; the state is the tuple of their states.

    Raises ValueError if the state has another length, as one made by another chain has.
    """

    def init(params: Any) -> tuple[Any, ...]:
        return tuple(transform.init(params) for transform in transforms)

    def update(updates: Any, state: tuple[Any, ...], params: Any = None) -> tuple[Any, tuple[Any, ...]]:
        if len(state) != len(transforms):
            raise ValueError(
                f"chain: the state has {len(state)} parts, but {len(transforms)} transforms are chained. "
                "Pass the state that init of this same chain returned."
            )
        new_state = []
        for transform, part in zip(transforms, state, strict=True):
            updates, part = transform.update(updates, part, params)
            new_state.append(part)
        return updates, tuple(new_state)

    return Transform(init, update)


def scale(step_size: Number) -> Transform:
    """Multiply every update by `step_size`."""
    return stateless(lambda updates, params: jax.tree.map(lambda u: step_size * u, updates))


class ScheduleState(NamedTuple):
    """The number of finished steps."""

    count: jax.Array


def scale_by_learning_rate(learning_rate: Number | Schedule) -> Transform:
    """Multiply by minus the learning rate, a number or a schedule: the sign that makes a gradient step a descent.

    Raises ValueError for a negative number.
    """
    if not callable(learning_rate):
        advice = "Give the size of the step as a number, or a schedule; the minus sign of descent is added here."
        check_at_least("scale_by_learning_rate", "learning_rate", learning_rate, 0, advice)
        return scale(-learning_rate)

    def init(params: Any) -> ScheduleState:
        return ScheduleState(jnp.zeros((), jnp.int32))

    def update(updates: Any, state: ScheduleState, params: Any = None) -> tuple[Any, ScheduleState]:
        rate = jnp.asarray(learning_rate(state.count), jnp.float32)
        return jax.tree.map(lambda u: -rate * u, updates), ScheduleState(state.count + 1)

    return Transform(init, update)


def add_decayed_weights(weight_decay: Number, mask: Mask = None) -> Transform:
    """u + weight_decay * params, where `mask` is true: decoupled weight decay (Loshchilov & Hutter, 2019).

    `mask` is a tree shaped like the parameters, or a function that makes one from them. Its leaves are bools, or arrays
    of 0 and 1 that broadcast against the leaf, so one flat vector of all parameters can be decayed in part.

    Raises ValueError for a negative decay, a mask of another shape, or `params=None`.
    """
    check_at_least("add_decayed_weights", "weight_decay", weight_decay, 0, "Negative decay would grow the weights.")

    def update(updates: Any, params: Any) -> Any:
        need_params("add_decayed_weights", params)
        keep = resolve_mask("add_decayed_weights", mask, params)
        return jax.tree.map(lambda u, p, m: u if m is False else u + weight_decay * m * p, updates, params, keep)

    return stateless(update)


def apply_updates(params: Any, updates: Any) -> Any:
    """params + updates, in each parameter's own dtype.

    The sum is rounded once, yet a bfloat16 weight loses any step below 1/512 of its size. Keep the weights in float32
    and compute with bfloat16 copies of them.
    """
    return jax.tree.map(lambda p, u: jnp.asarray(p + u, jnp.result_type(p)), params, updates)


def zeros_for_state(params: Any) -> Any:
    """Zeros shaped like `params`, in float32 or better."""
    return jax.tree.map(lambda p: jnp.zeros_like(p, dtype=state_dtype(p)), params)


def state_dtype(array: Any) -> Any:
    """The dtype in which a running average over values like `array` is kept: its own, but float32 at least."""
    return jnp.promote_types(jnp.result_type(array), jnp.float32)


def cast_like(tree: Any, like: Any) -> Any:
    """`tree` with the dtypes of `like`: gradients enter the arithmetic of the moments in their precision."""
    return jax.tree.map(lambda x, y: x.astype(y.dtype), tree, like)


def update_moment(decay: Number, past: Any, new: Any) -> Any:
    """decay * past + (1 - decay) * new, leaf by leaf."""
    return jax.tree.map(lambda m, x: decay * m + (1 - decay) * x, past, new)
