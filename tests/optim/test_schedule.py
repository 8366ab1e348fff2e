from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minitorch import optim

WSD = optax.join_schedules(
    [optax.linear_schedule(0.1, 1.0, 10), optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.2, 30)], [10, 60]
)
TWINS = {
    "constant": (optim.constant_schedule(0.3), optax.constant_schedule(0.3)),
    "linear": (optim.linear_schedule(0.1, 1.0, 40), optax.linear_schedule(0.1, 1.0, 40)),
    "cosine": (optim.cosine_decay_schedule(1.0, 80, alpha=0.1), optax.cosine_decay_schedule(1.0, 80, alpha=0.1)),
    "warm-up": (optim.warmup_constant_schedule(0.1, 1.0, 20), optax.warmup_constant_schedule(0.1, 1.0, 20)),
    "warm-up, cosine": (
        optim.warmup_cosine_decay_schedule(0.0, 1.0, 20, 90, end_value=0.1),
        optax.warmup_cosine_decay_schedule(0.0, 1.0, 20, 90, end_value=0.1),
    ),
    "no warm-up, cosine": (
        optim.warmup_cosine_decay_schedule(0.5, 1.0, 0, 90),
        optax.warmup_cosine_decay_schedule(0.5, 1.0, 0, 90),
    ),
    "peak 0": (
        optim.warmup_cosine_decay_schedule(0.0, 0.0, 20, 90),
        optax.warmup_cosine_decay_schedule(0.0, 0.0, 20, 90),
    ),
    "warm-up, stable, decay": (optim.warmup_stable_decay_schedule(0.1, 1.0, 10, 50, 30, end_value=0.2), WSD),
    "joined": (
        optim.join_schedules([lambda t: t, lambda t: 10 * t, lambda t: 100 * t], [30, 60]),
        optax.join_schedules([lambda t: t, lambda t: 10 * t, lambda t: 100 * t], [30, 60]),
    ),
}
STEPS = jnp.arange(110)


def over_time(schedule):
    return np.broadcast_to(jax.jit(schedule)(STEPS), STEPS.shape)


@pytest.mark.parametrize("name", TWINS)
def test_schedule_equals_optax_over_its_whole_range(name):
    ours, theirs = TWINS[name]
    np.testing.assert_allclose(over_time(ours), over_time(theirs), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", TWINS)
def test_schedule_accepts_a_python_int(name):
    schedule, _ = TWINS[name]
    np.testing.assert_allclose(float(schedule(25)), over_time(schedule)[25], rtol=1e-6)


def test_no_warmup_starts_at_the_peak():
    assert optim.warmup_constant_schedule(0.0, 1.0, 0)(0) == 1.0
    assert optim.warmup_stable_decay_schedule(0.0, 1.0, 0, 0, 4)(0) == 1.0


def test_the_default_end_of_a_decay_is_zero():
    assert float(optim.cosine_decay_schedule(1.0, 10)(10)) == 0
    assert float(optim.warmup_cosine_decay_schedule(0.0, 1.0, 2, 10)(10)) == 0
    assert float(optim.warmup_stable_decay_schedule(0.0, 1.0, 2, 2, 4)(8)) == 0
