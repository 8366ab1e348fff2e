from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minitorch import optim


def test_accumulated_steps_equal_steps_on_the_mean_gradient(matrix):
    many, one = optim.multi_steps(optim.adam(0.1), every=3), optim.adam(0.1)

    @jax.jit
    def both(gradient):
        state, seen = many.init(gradient), []
        for k in (1.0, 2.0, 6.0):
            updates, state = many.update(k * gradient, state)
            seen.append(updates)
        return seen, state, one.update(3.0 * gradient, one.init(gradient))

    (first, second, third), state, expected = both(matrix)
    assert not first.any()
    assert not second.any()
    for ours, theirs in zip(jax.tree.leaves((third, state.inner)), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert int(state.count) == 0
    assert not state.mean.any()


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_batches_with_weights_accumulate_to_the_gradient_of_the_large_batch(parts):
    """The loss divides by the number of rows that count, which differs from batch to batch."""
    rng = np.random.default_rng(0)
    x, w, counted = rng.normal(size=(8, 3)), rng.normal(size=3), np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)

    def gradient(x, counted):
        return jax.grad(lambda w: jnp.sum(jnp.tanh(x @ w) * counted) / jnp.maximum(jnp.sum(counted), 1))(w)

    many = optim.multi_steps(optim.sgd(1.0), every=parts)
    state = many.init(w)
    for rows in (*np.split(np.arange(8), parts), *np.split(np.arange(8)[::-1], parts)):
        updates, state = many.update(gradient(x[rows], counted[rows]), state, weight=counted[rows].sum())
        if state.count == 0:
            np.testing.assert_allclose(updates, -gradient(x, counted), rtol=1e-5)


def test_optimizer_does_not_run_between_accumulated_steps(matrix):
    calls = []

    def spy(updates, params):
        jax.debug.callback(lambda: calls.append(1))
        return updates

    optimizer = optim.multi_steps(optim.transform.stateless(spy), every=3)
    state = optimizer.init(matrix)
    update = jax.jit(optimizer.update)
    for _ in range(7):
        _, state = update(matrix, state)
    jax.effects_barrier()
    assert len(calls) == 2


def averages(averager, start, sequence):
    def step(state, weights):
        average, state = averager.update(weights, state)
        return state, average

    return jax.jit(lambda s, w: jax.lax.scan(step, averager.init(s), w))(start, sequence)


def test_ema_without_the_initial_weights_equals_optax_ema():
    start, sequence = jnp.full(3, 100.0), jnp.cumsum(jnp.sin(jnp.arange(300.0).reshape(100, 3)), axis=0)
    state, ours = averages(optim.ema(0.9), start, sequence)
    _, theirs = averages(optax.ema(0.9), start, sequence)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(state.ema, ours[-1])


def test_ema_from_the_initial_weights_equals_optax_incremental_update():
    start, sequence = jnp.full(3, 100.0), jnp.cumsum(jnp.sin(jnp.arange(300.0).reshape(100, 3)), axis=0)
    _, ours = averages(optim.ema(0.9, debias=False), start, sequence)

    def step(average, weights):
        average = optax.incremental_update(weights, average, 0.1)
        return average, average

    _, theirs = jax.lax.scan(step, start, sequence)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-5, atol=1e-5)


def test_ema_of_bfloat16_weights_follows_small_steps():
    averager = optim.ema(0.999, debias=False)
    state = averager.init(jnp.ones((), jnp.bfloat16))
    average, state = averager.update(jnp.asarray(2.0, jnp.bfloat16), state)
    assert average.dtype == jnp.float32
    np.testing.assert_allclose(average, 1.001, rtol=1e-6)


def test_weights_and_their_average_can_be_donated_together():
    averager = optim.ema(0.9)
    weights = jnp.ones(8)
    step = jax.jit(lambda w, s: (w + 1, averager.update(w, s)[1]), donate_argnums=(0, 1))
    weights, state = step(weights, averager.init(weights))
    np.testing.assert_array_equal(state.ema, jnp.ones(8))
