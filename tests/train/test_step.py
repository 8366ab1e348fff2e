"""The compiled step: several devices against one, and the limits of a dispatch."""

import json
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops, optim
from minitorch.train import Replicated, Step, device_mesh
from minitorch.train.step import MAX_STEPS

pytestmark = pytest.mark.slow

DEVICES = """
import json, sys
import jax
import minitorch as mt
from minitorch.train import use_cpu_cores
cores = int(sys.argv[1])
use_cpu_cores(cores)
from minitorch.train import Replicated, Sharded, Step, device_mesh, layout
layout.LARGE = int(sys.argv[2])
config = mt.models.GPTConfig(vocab=11, context=8, layers=2, heads=2, width=16)
model = mt.models.GPT.init(jax.random.key(0), config)
ids = jax.random.randint(jax.random.key(1), (4, 9), 0, 11)
mesh = device_mesh(4)
chosen = Sharded(model, cores) if cores > 1 else Replicated(model, 1)
loss = lambda model, x, y: mt.nn.cross_entropy(model(x), y)
adamw = mt.optim.chain(mt.optim.clip_by_global_norm(0.5), mt.optim.adamw(1e-2))
step = Step(loss, adamw, lambda data, i: data, chosen, mesh)
state, metrics = step.run(step.init(model), step.replicate((ids[:, :-1], ids[:, 1:])), 10)
sums = [float(x.sum()) for x in jax.tree.leaves(step.model(state))]
print(json.dumps([len(mesh.devices), metrics.loss.tolist(), sums]))
"""


def run_on(cores, large):
    command = [sys.executable, "-c", DEVICES, str(cores), str(large)]
    return json.loads(subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout)


@pytest.mark.parametrize("large", [2**18, 256])
def test_two_devices_with_sharded_weights_train_like_one(large):
    """`large` puts all leaves into the vector, or shards most of them as matrices."""
    one, two = run_on(1, large), run_on(2, large)
    assert (one[0], two[0]) == (1, 2)
    np.testing.assert_allclose(two[1], one[1], rtol=1e-4)
    np.testing.assert_allclose(two[2], one[2], rtol=1e-3, atol=1e-3)
    assert one[1][-1] < one[1][0] - 0.5


@pytest.fixture(scope="module")
def step():
    """One weight w with the loss data * w, which is not finite at step 2."""
    mesh = device_mesh(1)

    def get_batch(data, i):
        return (jnp.where(i == 2, jnp.nan, data)[None],)

    return Step(lambda w, x: ops.sum(w["w"] * x), optim.sgd(0.5), get_batch, Replicated({}, 1), mesh)


def start(step):
    return step.init({"w": jnp.ones(1)}), step.replicate(jnp.array(1.0))


def test_a_step_whose_loss_is_not_finite_changes_nothing(step):
    state, metrics = step.run(*start(step), 5)
    np.testing.assert_array_equal(np.isfinite(metrics.loss), [True, True, False, False, False])
    assert int(state.step) == 2
    np.testing.assert_allclose(step.model(state)["w"], [0.0])


@pytest.mark.parametrize("n", [0, MAX_STEPS + 1])
def test_a_dispatch_has_1_to_64_steps(step, n):
    with pytest.raises(ValueError, match=f"run makes 1 to 64 steps a call, not {n}: call it more often"):
        step.run(*start(step), n)
