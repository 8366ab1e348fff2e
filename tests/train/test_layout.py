"""The layouts: packing, unpacking, and which leaves are large."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.train import layout as layout_module
from minitorch.train.layout import Sharded, usable_devices


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(layout_module, "LARGE", 16)
    return {"odd": jnp.arange(15.0).reshape(3, 5), "even": jnp.arange(24.0).reshape(4, 6), "small": jnp.arange(3.0)}


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 5])
def test_unpack_inverts_pack(model, devices):
    layout = Sharded(model, devices)
    packed = layout.pack(model)
    assert all(len(x) % devices == 0 for x in packed)
    jax.tree.map(np.testing.assert_array_equal, layout.unpack(packed), model)


def test_a_large_leaf_whose_rows_divide_by_the_devices_is_not_in_the_vector(model):
    assert [x.shape for x in Sharded(model, 2).pack(model)] == [(18,), (4, 6)]
    assert [x.shape for x in Sharded(model, 3).pack(model)] == [(42,)]


def test_a_mask_of_scalars_is_packed_like_the_model(model):
    mask = {"odd": jnp.array(1.0), "even": jnp.array(0.0), "small": jnp.array(0.0)}
    vector, even = Sharded(model, 2).pack(mask)
    np.testing.assert_array_equal(vector, [1.0] * 15 + [0.0] * 3)
    np.testing.assert_array_equal(even, np.zeros((4, 6)))


def test_weights_of_several_dtypes_raise():
    with pytest.raises(TypeError, match=r"several dtypes \['bfloat16', 'float32'\].*cast them"):
        Sharded({"a": jnp.zeros(2), "b": jnp.zeros(2, jnp.bfloat16)}, 2)


def test_usable_devices_is_the_largest_number_that_divides_the_batch():
    assert [usable_devices(12, n) for n in (1, 2, 5, 8, 12, 99)] == [1, 2, 4, 6, 12, 12]
