"""Invalid arguments raise errors that state the value, the reason and the correction."""

from __future__ import annotations

import jax.numpy as jnp
import pytest

from minitorch import optim

RATE = r"learning_rate is -0\.1, but it must be at least 0\. Give the step size"
BAD = [
    (lambda: optim.sgd(-0.1), RATE),
    (lambda: optim.sgd(-0.1, momentum=0.9), RATE),
    (lambda: optim.adam(-0.1), RATE),
    (lambda: optim.adamw(-0.1), RATE),
    (lambda: optim.lion(-0.1), RATE),
    (lambda: optim.adafactor(-0.1), RATE),
    (lambda: optim.muon(-0.1), RATE),
    (lambda: optim.muon(0.1, adam_learning_rate=-0.1), RATE),
    (lambda: optim.sgd(float("nan")), "learning_rate is nan, but it must be at least 0"),
    (lambda: optim.sgd(0.1, momentum=1.0), r"trace: decay is 1\.0.*0 <= decay < 1"),
    (lambda: optim.sgd(0.1, nesterov=True), r"momentum is None. Write sgd\(learning_rate, momentum=0.9"),
    (lambda: optim.adam(0.1, b1=1.0), r"adam: b1 is 1\.0.*0 <= b1 < 1.*Write for example b1=0.9"),
    (lambda: optim.adam(0.1, b2=-0.1), r"adam: b2 is -0\.1"),
    (lambda: optim.adam(0.1, eps=0.0), r"adam: eps is 0\.0, but it must be greater than 0"),
    (lambda: optim.adamw(0.1, weight_decay=-1), "weight_decay is -1.*Negative decay would grow the weights"),
    (lambda: optim.lion(0.1, b1=2), "lion: b1 is 2"),
    (lambda: optim.lion(0.1, b2=1), "lion: b2 is 1"),
    (lambda: optim.adafactor(0.1, decay_rate=0), "adafactor: decay_rate is 0, but it must be greater than 0"),
    (lambda: optim.adafactor(0.1, eps=0), "adafactor: eps is 0"),
    (lambda: optim.adafactor(0.1, min_dim_size_to_factor=0), "min_dim_size_to_factor is 0.*at least 1"),
    (lambda: optim.adafactor(0.1, clipping_threshold=0), "threshold is 0"),
    (lambda: optim.muon(0.1, beta=1.0), r"muon: beta is 1\.0"),
    (lambda: optim.muon(0.1, eps=0), "muon: eps is 0"),
    (lambda: optim.ema(1.0), r"ema: decay is 1\.0"),
    (lambda: optim.multi_steps(optim.sgd(0.1), every=0), "multi_steps: every is 0.*1 means no accumulation"),
    (lambda: optim.multi_steps(optim.sgd(0.1), every=2.5), "every is 2.5.*Write an integer"),
    (lambda: optim.clip_by_global_norm(0), "max_norm is 0.*leave clipping out to switch it off"),
    (lambda: optim.clip(-1), "clip: max_delta is -1"),
    (lambda: optim.linear_schedule(0, 1, 0), "linear_schedule: transition_steps is 0.*at least 1"),
    (lambda: optim.cosine_decay_schedule(1, 0), "cosine_decay_schedule: decay_steps is 0"),
    (lambda: optim.warmup_constant_schedule(0, 1, -1), "warmup_steps is -1, but it must be at least 0"),
    (
        lambda: optim.warmup_cosine_decay_schedule(0, 1, 10, 10),
        "warm-up of 10 steps leaves no steps for the decay.*decay_steps=10.*Shorten the warm-up or train longer",
    ),
    (lambda: optim.warmup_stable_decay_schedule(0, 1, 1, -1, 5), "stable_steps is -1"),
    (lambda: optim.warmup_stable_decay_schedule(0, 1, 1, 1, 0), "transition_steps is 0"),
    (lambda: optim.join_schedules([optim.constant_schedule(1)], [3]), "1 schedules need 0 boundaries, but 1 were"),
    (lambda: optim.join_schedules([optim.constant_schedule(1)] * 3, [5, 3]), r"boundaries \[5, 3\] decrease"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_invalid_values_are_refused_when_the_optimizer_is_created(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("optimizer", [optim.adamw(0.1), optim.lion(0.1), optim.adafactor(0.1)])
def test_missing_parameters_are_refused(optimizer):
    weights = jnp.ones((2, 2))
    with pytest.raises(ValueError, match=r"params is None.*Write update\(updates, state, params\)"):
        optimizer.update(weights, optimizer.init(weights))


@pytest.mark.parametrize("value", ["1e-3", None, [0.1]])
def test_a_value_that_is_not_a_number_is_refused(value):
    with pytest.raises(TypeError, match=r"learning_rate is .*, a \w+, but it must be a number. Give .* or a schedule"):
        optim.adam(value)


def test_a_decay_of_zero_is_valid():
    updates, _ = (optimizer := optim.trace(0.0)).update(2.0 * jnp.ones(2), optimizer.init(jnp.ones(2)))
    assert updates.tolist() == [2, 2]
    optim.adam(0.1, b1=0.0, b2=0.0)
    optim.ema(0.0)
