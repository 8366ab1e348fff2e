"""The compiled step and the limits of a dispatch. Several devices are in `test_data_parallel`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops, optim
from minitorch.train import Replicated, Step, device_mesh
from minitorch.train.step import MAX_STEPS

pytestmark = pytest.mark.slow


def make(loss, bad=2):
    """Return a step for one weight, whose batch is (1, 0), and (0, inf) at step `bad`, with the learning rate 1/2."""

    def get_batch(data, i):
        return jnp.where(i == bad, 0.0, data)[None], jnp.where(i == bad, jnp.inf, 0.0)[None]

    return Step(loss, optim.sgd(0.5), get_batch, Replicated({}, 1), device_mesh(1))


def start(step):
    return step.init({"w": jnp.full(1, 9.0)}), step.replicate(jnp.array(1.0))


NON_FINITE = {
    "loss": lambda w, x, far: ops.sum(w["w"] + far),
    "gradient": lambda w, x, far: ops.sum(2 * ops.sqrt(w["w"] * x)),  # At 0 the value is 0, and the slope infinite.
    "loss and gradient": lambda w, x, far: ops.sum(w["w"] * (1 + far)),
}


@pytest.mark.parametrize("kind", NON_FINITE)
def test_a_step_whose_loss_or_gradient_is_not_finite_changes_nothing(kind):
    step = make(NON_FINITE[kind])
    before, _ = step.run(*start(step), 2)
    before = jax.tree.map(np.asarray, before)
    state, metrics = step.run(*start(step), 5)
    finite = [[True, True, False, False, False], [True] * 5]
    np.testing.assert_array_equal(np.isfinite(metrics.loss), finite[kind == "gradient"])
    np.testing.assert_array_equal(np.isfinite(metrics.gradient_norm), finite[kind == "loss"])
    assert int(state.step) == 2
    jax.tree.map(np.testing.assert_array_equal, state, before)


@pytest.fixture(scope="module")
def step():
    """The loss is the weight, so that every step takes 1/2 from it."""
    return make(NON_FINITE["loss"], bad=None)


def test_metrics_are_those_of_each_step_before_its_update(step):
    state, metrics = step.run(*start(step), 3)
    np.testing.assert_allclose(metrics.loss, [9, 8.5, 8])
    np.testing.assert_allclose(metrics.gradient_norm, [1, 1, 1])
    assert (int(state.step), float(step.model(state)["w"][0])) == (3, 7.5)


@pytest.mark.parametrize("n", [1, MAX_STEPS])
def test_one_program_serves_every_number_of_steps(step, n):
    before, data = start(step)
    state, metrics = step.run(before, data, n)
    assert (int(state.step), metrics.loss.shape) == (n, (n,))
    assert step.compiled._cache_size() == 1
    assert before.weights["w"].is_deleted()  # It is donated.
    again, _ = step.run(state, data)
    assert int(again.step) == n + 1


def test_weights_keep_their_dtype_whatever_that_of_the_updates():
    def loss(w, x):
        return ops.sum(ops.astype(w["w"], jnp.float32) * x)

    step = Step(loss, optim.adam(0.5), lambda data, i: (data,), Replicated({}, 1), device_mesh(1))
    state, _ = step.run(step.init({"w": jnp.full(1, 9, jnp.bfloat16)}), step.replicate(jnp.ones(1)), 2)
    assert state.weights["w"].dtype == jnp.bfloat16
    assert state.weights["w"][0] == 8


@pytest.mark.parametrize("n", [0, MAX_STEPS + 1])
def test_a_dispatch_has_1_to_64_steps(step, n):
    with pytest.raises(ValueError, match=f"run makes 1 to 64 steps a call, not {n}: call it more often"):
        step.run(*start(step), n)
