"""The compiled step: what the layouts keep, and several devices against one."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.train import step as step_module
from minitorch.train.step import Sharded, usable_devices


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(step_module, "LARGE", 16)
    return {"odd": jnp.arange(15.0).reshape(3, 5), "even": jnp.arange(24.0).reshape(4, 6), "small": jnp.arange(3.0)}


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 5])
def test_packing_and_unpacking_gives_the_model_back(model, devices):
    layout = Sharded(model, devices)
    packed = layout.pack(model)
    assert all(len(x) % devices == 0 for x in packed)
    jax.tree.map(np.testing.assert_array_equal, layout.unpack(packed), model)


def test_a_large_leaf_whose_rows_the_devices_divide_stands_alone(model):
    assert [x.shape for x in Sharded(model, 2).pack(model)] == [(18,), (4, 6)]
    assert [x.shape for x in Sharded(model, 3).pack(model)] == [(42,)]


def test_a_mask_of_scalars_is_packed_like_the_model(model):
    mask = {"odd": jnp.array(1.0), "even": jnp.array(0.0), "small": jnp.array(0.0)}
    vector, even = Sharded(model, 2).pack(mask)
    np.testing.assert_array_equal(vector, [1.0] * 15 + [0.0] * 3)
    np.testing.assert_array_equal(even, np.zeros((4, 6)))


def test_weights_of_several_dtypes_are_refused():
    with pytest.raises(TypeError, match=r"several dtypes \['bfloat16', 'float32'\].*cast them"):
        Sharded({"a": jnp.zeros(2), "b": jnp.zeros(2, jnp.bfloat16)}, 2)


def test_as_many_devices_as_divide_the_batch():
    assert [usable_devices(12, n) for n in (1, 2, 5, 8, 12, 99)] == [1, 2, 4, 6, 12, 12]


DEVICES = """
import json, sys
import jax
import minitorch as mt
from minitorch.train import use_cpu_cores
cores = int(sys.argv[1])
use_cpu_cores(cores)
from minitorch.train import step as step_module
from minitorch.train.step import Sharded, Step, Tree, device_mesh
step_module.LARGE = int(sys.argv[2])
config = mt.models.GPTConfig(vocab=11, context=8, layers=2, heads=2, width=16)
model = mt.models.GPT.init(jax.random.key(0), config)
ids = jax.random.randint(jax.random.key(1), (4, 9), 0, 11)
mesh = device_mesh(4)
layout = Sharded(model, cores) if cores > 1 else Tree(model, 1)
loss = lambda model, x, y: mt.nn.cross_entropy(model(x), y)
adamw = mt.optim.chain(mt.optim.clip_by_global_norm(0.5), mt.optim.adamw(1e-2))
step = Step(loss, adamw, lambda data, i: data, layout, mesh)
state, metrics = step.run(step.init(model), step.replicate((ids[:, :-1], ids[:, 1:])), 10)
sums = [float(x.sum()) for x in jax.tree.leaves(step.model(state))]
print(json.dumps([len(mesh.devices), metrics.loss.tolist(), sums]))
"""


def run_on(cores, large):
    command = [sys.executable, "-c", DEVICES, str(cores), str(large)]
    return json.loads(subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout)


@pytest.mark.parametrize("large", [2**18, 256])
def test_two_devices_with_shared_weights_train_as_one_does(large):
    """All in the vector, and most in matrices of their own."""
    one, two = run_on(1, large), run_on(2, large)
    assert (one[0], two[0]) == (1, 2)
    np.testing.assert_allclose(two[1], one[1], rtol=1e-4)
    np.testing.assert_allclose(two[2], one[2], rtol=1e-3, atol=1e-3)
    assert one[1][-1] < one[1][0] - 0.5
