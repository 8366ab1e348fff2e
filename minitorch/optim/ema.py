"""Running means of gradients over small batches (`multi_steps`) and of weights over steps (`ema`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from .transform import Transform, cast_like, state_dtype, zeros_for_state
from .validation import Number, check_at_least, check_decay

if TYPE_CHECKING:
    from .._types import PyTree


class MultiStepsState(NamedTuple):
    """The number and the summed weight of the batches since the last step, their mean gradient, and the inner state."""

    count: jax.Array
    weight: jax.Array
    mean: PyTree
    inner: PyTree


def multi_steps(optimizer: Any, every: int) -> Transform:
    """Run `optimizer` once every `every` batches, with the mean of their gradients: a large batch in little memory.

    Between steps the updates are zero and the optimizer does not run. Its schedules count steps, not batches.

    The batches weigh the same by default. If their losses divide by different numbers, such as those of the tokens that
    count, pass that number to `update(gradients, state, params, weight=number)`.

    Raises:
      ValueError: `every` is below 1 or not an integer.
    """
    check_at_least("multi_steps", "every", every, 1, "It counts the batches of a step; 1 means no accumulation.")
    if every % 1:
        raise ValueError(f"multi_steps: every is {every}, but it counts the batches of a step. Write an integer.")

    def init(params: PyTree) -> MultiStepsState:
        return MultiStepsState(jnp.int32(0), jnp.float32(0), zeros_for_state(params), optimizer.init(params))

    def update(
        updates: PyTree, state: MultiStepsState, params: PyTree = None, *, weight: Any = 1.0
    ) -> tuple[PyTree, MultiStepsState]:
        total = state.weight + jnp.asarray(weight, jnp.float32)
        share = weight / jnp.maximum(total, jnp.finfo(jnp.float32).tiny)  # not 0 / 0 where none has weight
        mean = jax.tree.map(lambda m, g: m + share.astype(m.dtype) * (g - m), state.mean, updates)
        step_shapes, _ = jax.eval_shape(optimizer.update, mean, state.inner, params)

        def step(mean: PyTree, inner: PyTree) -> tuple[PyTree, PyTree, PyTree]:
            return *optimizer.update(mean, inner, params), jax.tree.map(jnp.zeros_like, mean)

        def wait(mean: PyTree, inner: PyTree) -> tuple[PyTree, PyTree, PyTree]:
            return jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), step_shapes), inner, mean

        count = state.count + 1
        updates, inner, mean = jax.lax.cond(count == every, step, wait, mean, state.inner)
        return updates, MultiStepsState(count % every, jnp.where(count == every, 0, total), mean, inner)

    return Transform(init, update)


class EmaState(NamedTuple):
    """The number of averaged steps, and the average of the weights, for evaluation or a checkpoint."""

    count: jax.Array
    ema: PyTree


def ema(decay: Number, debias: bool = True) -> Transform:
    """Return the exponential moving average of the weights, often better than the last weights.

        average, ema_state = averager.update(params, ema_state)     # after each step; average is ema_state.ema

    average <- average + (1 - decay) / (1 - decay^t) * (params - average), which excludes the initial weights. With
    `debias=False` the denominator is 1 and the average starts at the initial weights. It is float32 even for bfloat16
    weights, which would round off most of its small steps. Source: Polyak & Juditsky, 1992.

    Raises:
      ValueError: the decay is outside [0, 1).
    """
    check_decay("ema", "decay", decay)

    def init(params: PyTree) -> EmaState:
        # A copy, so that parameters and average can both be donated to a compiled step.
        return EmaState(jnp.zeros((), jnp.int32), jax.tree.map(lambda p: jnp.array(p, state_dtype(p)), params))

    def update(updates: PyTree, state: EmaState, params: PyTree = None) -> tuple[PyTree, EmaState]:
        count = state.count + 1
        rate = (1 - decay) / (1 - decay**count if debias else 1)
        mean = jax.tree.map(lambda m, p: m + rate * (p - m), state.ema, cast_like(updates, state.ema))
        return mean, EmaState(count, mean)

    return Transform(init, update)
