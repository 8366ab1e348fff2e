"""Gradient transforms: an optimizer is a pair of pure functions, and `chain` joins several pairs into one.

The input is gradients, the output is updates to add to the parameters, and the state is a pytree of arrays that the
caller keeps. The signatures are optax's, so our transforms run in any optax loop and optax's in ours.

Moments are stored in float32 even for bfloat16 parameters: bfloat16 has 8 bits of precision, so 0.999 * nu would round
back to nu and the moment would never decay. Updates have that precision, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from .mask import Mask, resolve_mask
from .validation import Number, check_at_least, need_params

if TYPE_CHECKING:
    from .._types import PyTree

Schedule = Callable[[Any], Any]
"""A function of the number of finished steps (an int or a scalar array) to the value for the next step."""


class Transform(NamedTuple):
    """`init(params) -> state` and `update(updates, state, params=None) -> (updates, state)`."""

    init: Callable[[PyTree], PyTree]
    update: Callable[..., tuple[PyTree, PyTree]]


def stateless(update: Callable[[PyTree, PyTree], PyTree]) -> Transform:
    """Return the transform without state of a function `(updates, params) -> updates`."""
    return Transform(lambda params: (), lambda updates, state, params=None: (update(updates, params), state))


def chain(*transforms: Any) -> Transform:
    """Apply the transforms one after the other; the state is the tuple of their states.

    Raises:
      ValueError: the state has another length, so it is that of another chain.
    """

    def init(params: PyTree) -> tuple[PyTree, ...]:
        return tuple(transform.init(params) for transform in transforms)

    def update(updates: PyTree, state: tuple[PyTree, ...], params: PyTree = None) -> tuple[PyTree, tuple[PyTree, ...]]:
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
    """Multiply by minus the learning rate, a number or a schedule.

    Raises:
      ValueError: the number is negative.
    """
    if not callable(learning_rate):
        advice = "Give the step size as a positive number or a schedule; the minus sign of descent is added here."
        check_at_least("scale_by_learning_rate", "learning_rate", learning_rate, 0, advice)
        return scale(-learning_rate)

    def init(params: PyTree) -> ScheduleState:
        return ScheduleState(jnp.zeros((), jnp.int32))

    def update(updates: PyTree, state: ScheduleState, params: PyTree = None) -> tuple[PyTree, ScheduleState]:
        rate = jnp.asarray(learning_rate(state.count), jnp.float32)
        return jax.tree.map(lambda u: -rate * u, updates), ScheduleState(state.count + 1)

    return Transform(init, update)


def add_decayed_weights(weight_decay: Number, mask: Mask = None) -> Transform:
    """Add weight_decay * params where `mask` is true: decoupled weight decay (Loshchilov & Hutter, 2019).

    `mask` is a tree shaped like the parameters, or a function that returns one for them. Its leaves are bools, or
    arrays of 0 and 1 that broadcast to the parameter, so that one vector of all parameters can be decayed in part.

    Raises:
      ValueError: the decay is negative, the mask does not fit the parameters, or `params` is None.
    """
    check_at_least("add_decayed_weights", "weight_decay", weight_decay, 0, "Negative decay would grow the weights.")

    def update(updates: PyTree, params: PyTree) -> PyTree:
        need_params("add_decayed_weights", params)
        keep = resolve_mask("add_decayed_weights", mask, params)
        return jax.tree.map(lambda u, p, m: u if m is False else u + weight_decay * m * p, updates, params, keep)

    return stateless(update)


def apply_updates(params: PyTree, updates: PyTree) -> PyTree:
    """Return params + updates, in the dtype of each parameter.

    The sum is rounded once, but a bfloat16 weight still loses any step below 1/512 of its size. Keep the weights in
    float32 and compute with bfloat16 copies.

    Raises:
      ValueError: an update does not have the shape of its parameter.
    """

    def add(path: Any, p: Any, u: Any) -> jax.Array:
        if jnp.shape(p) != jnp.shape(u):
            raise ValueError(
                f"apply_updates: the update at params{jax.tree_util.keystr(path)} has shape {jnp.shape(u)}, but its"
                f" parameter has {jnp.shape(p)}. Take the gradient with respect to these parameters."
            )
        return jnp.asarray(p + u, jnp.result_type(p))

    return jax.tree_util.tree_map_with_path(add, params, updates)


def zeros_for_state(params: PyTree) -> PyTree:
    """Return zeros shaped like `params`, in float32 or better."""
    return jax.tree.map(lambda p: jnp.zeros_like(p, dtype=state_dtype(p)), params)


def state_dtype(array: Any) -> Any:
    """Return the dtype of moments of values like `array`: its own, but at least float32."""
    return jnp.promote_types(jnp.result_type(array), jnp.float32)


def at_state_dtype(x: Any) -> jax.Array:
    """Return an array or a number in the dtype of its moments."""
    return jnp.asarray(x, state_dtype(x))


def cast_like(tree: PyTree, like: PyTree) -> PyTree:
    """Return `tree` with the dtypes of `like`: gradients in the precision of the moments."""
    return jax.tree.map(lambda x, y: jnp.asarray(x, y.dtype), tree, like)


def update_moment(decay: Number, past: PyTree, new: PyTree) -> PyTree:
    """Return decay * past + (1 - decay) * new, leaf by leaf."""
    return jax.tree.map(lambda m, x: decay * m + (1 - decay) * x, past, new)
