"""The learning rate over time. A schedule is a function: finished steps (int or scalar array) -> value.

The long ones are short ones joined end to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from .validation import check_at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .transform import Schedule


def constant_schedule(value: float) -> Schedule:
    """`value` at every step."""
    return lambda count: value


def linear_schedule(init_value: float, end_value: float, transition_steps: int) -> Schedule:
    """A straight line from `init_value` at step 0 to `end_value` at `transition_steps`, flat from there.

    Raises ValueError if `transition_steps` is below 1.
    """
    _check_steps("linear_schedule", "transition_steps", transition_steps, least=1)

    def schedule(count: Any) -> Any:
        left = 1 - jnp.clip(count, 0, transition_steps) / transition_steps
        return (init_value - end_value) * left + end_value

    return schedule


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0) -> Schedule:
    """Half a cosine from `init_value` down to `alpha * init_value` at `decay_steps`, flat from there.

    init_value * (alpha + (1 - alpha) (1 + cos(pi t / decay_steps)) / 2)  (Loshchilov & Hutter, 2017, arXiv:1608.03983)

    Raises ValueError if `decay_steps` is below 1.
    """
    _check_steps("cosine_decay_schedule", "decay_steps", decay_steps, least=1)

    def schedule(count: Any) -> Any:
        wave = 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(count, decay_steps) / decay_steps))
        return init_value * (alpha + (1 - alpha) * wave)

    return schedule


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Each schedule in turn, the next from its boundary on; each counts its steps from its own start.

    Raises ValueError unless there is one boundary fewer than schedules, and they do not decrease.
    """
    if len(boundaries) != len(schedules) - 1:
        raise ValueError(
            f"join_schedules: {len(schedules)} schedules meet at {len(schedules) - 1} boundaries, but "
            f"{len(boundaries)} were given. Name the step at which each schedule but the first begins."
        )
    if list(boundaries) != sorted(boundaries):
        raise ValueError(f"join_schedules: the boundaries {list(boundaries)} go back in time. Sort them.")

    def schedule(count: Any) -> Any:
        value = schedules[0](count)
        for boundary, following in zip(boundaries, schedules[1:], strict=True):
            value = jnp.where(count < boundary, value, following(count - boundary))
        return value

    return schedule


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Schedule:
    """A straight line up to `peak_value` in `warmup_steps`, flat from there. With 0 steps it starts at the peak.

    Large first steps would follow moments that have seen few gradients (Goyal et al., 2017, arXiv:1706.02677).

    Raises ValueError if `warmup_steps` is negative.
    """
    _check_steps("warmup_constant_schedule", "warmup_steps", warmup_steps, least=0)
    if warmup_steps == 0:
        return constant_schedule(peak_value)
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: float, peak_value: float, warmup_steps: int, decay_steps: int, end_value: float = 0.0
) -> Schedule:
    """Warm-up, then half a cosine to `end_value`. `decay_steps` is the length of the whole, warm-up included.

    Raises ValueError if the warm-up leaves no step to decay in.
    """
    if warmup_steps >= decay_steps:
        raise ValueError(
            f"warmup_cosine_decay_schedule: a warm-up of {warmup_steps} steps leaves nothing of the "
            f"decay_steps={decay_steps}, which count the warm-up too. Shorten the warm-up or train longer."
        )
    warmup = warmup_constant_schedule(init_value, peak_value, warmup_steps)
    alpha = end_value / peak_value if peak_value else 0.0
    decay = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha)
    return join_schedules([warmup, decay], [warmup_steps])


def warmup_stable_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    stable_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
) -> Schedule:
    """Warm-up, a long flat stretch, then a straight line to `end_value`, each of its own length ("WSD").

    The flat stretch can be prolonged and the decay begun from any checkpoint of it, so the length of the run need not
    be known beforehand (Hu et al., 2024, arXiv:2404.06395; a linear decay as in Hägele et al., 2024, arXiv:2405.18392).

    Raises ValueError if `warmup_steps` or `stable_steps` is negative or `decay_steps` below 1.
    """
    _check_steps("warmup_stable_decay_schedule", "stable_steps", stable_steps, least=0)
    rise = warmup_constant_schedule(init_value, peak_value, warmup_steps)
    fall = linear_schedule(peak_value, end_value, decay_steps)
    return join_schedules([rise, fall], [warmup_steps + stable_steps])


def _check_steps(where: str, name: str, steps: int, least: int) -> None:
    check_at_least(where, name, steps, least, "It is a number of steps.")
