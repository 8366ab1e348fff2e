"""Learning rate schedules: functions of the number of finished steps (an int or a scalar array).

The longer ones join shorter ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from .validation import check_at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .transform import Schedule


def constant_schedule(value: float) -> Schedule:
    """Return `value` at every step."""
    return lambda count: value


def linear_schedule(init_value: float, end_value: float, transition_steps: int) -> Schedule:
    """Return a line from `init_value` at step 0 to `end_value` at `transition_steps`, constant afterwards.

    Raises:
      ValueError: `transition_steps` is below 1.
    """
    _check_steps("linear_schedule", "transition_steps", transition_steps, least=1)

    def schedule(count: Any) -> Any:
        left = 1 - jnp.clip(count, 0, transition_steps) / transition_steps
        return (init_value - end_value) * left + end_value

    return schedule


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0) -> Schedule:
    """Return half a cosine from `init_value` to `alpha * init_value` at `decay_steps`, constant afterwards.

    init_value * (alpha + (1 - alpha) (1 + cos(pi t / decay_steps)) / 2)  (Loshchilov & Hutter, 2017, arXiv:1608.03983)

    Raises:
      ValueError: `decay_steps` is below 1.
    """
    _check_steps("cosine_decay_schedule", "decay_steps", decay_steps, least=1)

    def schedule(count: Any) -> Any:
        wave = 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(count, decay_steps) / decay_steps))
        return init_value * (alpha + (1 - alpha) * wave)

    return schedule


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Return a schedule that switches to the next of `schedules` at each boundary, where that one's step 0 is.

    Raises:
      ValueError: the number of boundaries is not that of schedules minus one, or the boundaries decrease.
    """
    if len(boundaries) != len(schedules) - 1:
        raise ValueError(
            f"join_schedules: {len(schedules)} schedules need {len(schedules) - 1} boundaries, but "
            f"{len(boundaries)} were given. Give the step at which each schedule but the first begins."
        )
    if list(boundaries) != sorted(boundaries):
        raise ValueError(f"join_schedules: the boundaries {list(boundaries)} decrease. Sort them.")

    def schedule(count: Any) -> Any:
        value = schedules[0](count)
        for boundary, following in zip(boundaries, schedules[1:], strict=True):
            value = jnp.where(count < boundary, value, following(count - boundary))
        return value

    return schedule


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Schedule:
    """Return a line up to `peak_value` in `warmup_steps`, constant afterwards. With 0 steps it starts at the peak.

    The first steps are small because their moments average few gradients (Goyal et al., 2017, arXiv:1706.02677).

    Raises:
      ValueError: `warmup_steps` is negative.
    """
    _check_steps("warmup_constant_schedule", "warmup_steps", warmup_steps, least=0)
    if warmup_steps == 0:
        return constant_schedule(peak_value)
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: float, peak_value: float, warmup_steps: int, decay_steps: int, end_value: float = 0.0
) -> Schedule:
    """Return a warm-up, then half a cosine to `end_value`. `decay_steps` is the total length, with the warm-up.

    Raises:
      ValueError: the warm-up leaves no steps for the decay.
    """
    if warmup_steps >= decay_steps:
        raise ValueError(
            f"warmup_cosine_decay_schedule: a warm-up of {warmup_steps} steps leaves no steps for the decay, because "
            f"decay_steps={decay_steps} includes the warm-up. Shorten the warm-up or train longer."
        )
    warmup = warmup_constant_schedule(init_value, peak_value, warmup_steps)
    alpha = end_value / peak_value if peak_value else 0.0
    decay = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha)
    return join_schedules([warmup, decay], [warmup_steps])


def warmup_stable_decay_schedule(
    init_value: float, peak_value: float, warmup_steps: int, stable_steps: int, decay_steps: int, end_value: float = 0.0
) -> Schedule:
    """Return a warm-up, a long constant phase, then a line to `end_value`, each of its own length ("WSD").

    The constant phase can be extended, and the decay can start from any of its checkpoints, so the length of the run
    can be decided later (Hu et al., 2024, arXiv:2404.06395; linear decay: Hägele et al., 2024, arXiv:2405.18392).

    Raises:
      ValueError: `warmup_steps` or `stable_steps` is negative, or `decay_steps` is below 1.
    """
    _check_steps("warmup_stable_decay_schedule", "stable_steps", stable_steps, least=0)
    rise = warmup_constant_schedule(init_value, peak_value, warmup_steps)
    fall = linear_schedule(peak_value, end_value, decay_steps)
    return join_schedules([rise, fall], [warmup_steps + stable_steps])


def _check_steps(where: str, name: str, steps: int, least: int) -> None:
    check_at_least(where, name, steps, least, "It is a number of steps.")
