"""Two running means: of gradients over small batches (`multi_steps`), of weights over steps (`ema`)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .transform import Transform, cast_like, state_dtype, zeros_for_state
from .validation import Number, check_at_least, check_decay


class MultiStepsState(NamedTuple):
    """Batches seen since the last step, their share of the mean gradient so far, and the optimizer's own state."""

    count: jax.Array
    mean: Any
    inner: Any


def multi_steps(optimizer: Any, every: int) -> Transform:
    """One step of `optimizer` every `every` batches, with the mean of their gradients: a large batch in little memory.

    In between the updates are zero and the optimizer does not run. Schedules inside count its steps, not the batches.

    Raises ValueError if `every` is below 1 or no whole number.
    """
    check_at_least("multi_steps", "every", every, 1, "It counts the batches to a step; 1 means no accumulation.")
    if every % 1:
        raise ValueError(f"multi_steps: every is {every}, but it counts the batches to a step. Write a whole number.")

    def init(params: Any) -> MultiStepsState:
        return MultiStepsState(jnp.zeros((), jnp.int32), zeros_for_state(params), optimizer.init(params))

    def update(updates: Any, state: MultiStepsState, params: Any = None) -> tuple[Any, MultiStepsState]:
        mean = jax.tree.map(lambda m, g: m + g.astype(m.dtype) / every, state.mean, updates)
        step_shapes, _ = jax.eval_shape(optimizer.update, mean, state.inner, params)

        def step(mean: Any, inner: Any) -> tuple[Any, Any, Any]:
            return *optimizer.update(mean, inner, params), jax.tree.map(jnp.zeros_like, mean)

        def wait(mean: Any, inner: Any) -> tuple[Any, Any, Any]:
            return jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), step_shapes), inner, mean

        count = state.count + 1
        updates, inner, mean = jax.lax.cond(count == every, step, wait, mean, state.inner)
        return updates, MultiStepsState(count % every, mean, inner)

    return Transform(init, update)


class EmaState(NamedTuple):
    """The number of weights averaged so far, and their average, ready to evaluate with or to save."""

    count: jax.Array
    ema: Any


def ema(decay: Number, debias: bool = True) -> Transform:
    """Exponential moving average of the weights, often better than the last ones (Polyak & Juditsky, 1992).

        average, ema_state = averager.update(params, ema_state)     # after each step; average is ema_state.ema

    average <- average + (1 - decay) / (1 - decay^t) * (params - average): the moving average of the t weights seen so
    far, divided by the sum of its coefficients, so the initial weights have no part in it. With `debias=False` the
    denominator is 1 and the average starts at the initial weights. It is float32 even for bfloat16 weights, which
    would round most of its small steps away.

    Raises ValueError unless 0 <= decay < 1.
    """
    check_decay("ema", "decay", decay)

    def init(params: Any) -> EmaState:
        # A copy, so that parameters and average can both be donated to a compiled step.
        return EmaState(jnp.zeros((), jnp.int32), jax.tree.map(lambda p: jnp.array(p, state_dtype(p)), params))

    def update(updates: Any, state: EmaState, params: Any = None) -> tuple[Any, EmaState]:
        count = state.count + 1
        rate = (1 - decay) / (1 - decay**count if debias else 1)
        mean = jax.tree.map(lambda m, p: m + rate * (p - m), state.ema, cast_like(updates, state.ema))
        return mean, EmaState(count, mean)

    return Transform(init, update)
