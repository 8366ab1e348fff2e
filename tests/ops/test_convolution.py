from __future__ import annotations

from functools import partial

import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle import arrays, assert_as_jax

from minitorch import ops
from minitorch.autodiff import grad

NHWC = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
# Shape of the images, shape of the kernel, the other arguments.
CONVOLUTIONS = {
    "1-D": ((2, 3, 7), (4, 3, 3), {"window_strides": (1,), "padding": "VALID"}),
    "1-D, strides": ((2, 3, 7), (4, 3, 3), {"window_strides": (2,), "padding": "SAME_LOWER"}),
    "1-D, all": (
        *((2, 8, 4), (3, 2, 6)),
        {
            **{"window_strides": (2,), "padding": [(3, 1)], "lhs_dilation": (3,), "rhs_dilation": (2,)},
            **{"feature_group_count": 2, "dimension_numbers": ("NWC", "WIO", "NWC")},
        },
    ),
    "2-D": ((2, 5, 6, 3), (3, 2, 3, 4), {"window_strides": (1, 1), "padding": "SAME", **NHWC}),
    "strides": ((2, 5, 6, 3), (3, 2, 3, 4), {"window_strides": (2, 3), "padding": "SAME", **NHWC}),
    "strides that leave a rest": ((2, 6, 6, 3), (3, 3, 3, 4), {"window_strides": (2, 2), "padding": "VALID", **NHWC}),
    "dilated kernel": (
        (2, 5, 6, 3),
        (3, 2, 3, 4),
        {"window_strides": (2, 1), "padding": "VALID", "rhs_dilation": (1, 2), **NHWC},
    ),
    "dilated image": (
        (2, 5, 6, 3),
        (3, 2, 3, 4),
        {"window_strides": (2, 1), "padding": [(1, 0), (0, 2)], "lhs_dilation": (2, 3), **NHWC},
    ),
    "cropping": ((2, 3, 7, 6), (4, 3, 3, 2), {"window_strides": (2, 2), "padding": [(2, -1), (-1, 3)]}),
    "groups": (
        (2, 5, 6, 4),
        (3, 2, 2, 6),
        {"window_strides": (2, 2), "padding": "SAME", "feature_group_count": 2, **NHWC},
    ),
    "one group a channel": (
        (2, 5, 6, 4),
        (3, 2, 1, 8),
        {"window_strides": (1, 2), "padding": "SAME", "feature_group_count": 4, **NHWC},
    ),
    "length 1": ((1, 1, 1, 1), (1, 1, 1, 1), {"window_strides": (1, 1), "padding": "VALID"}),
    "image of one pixel": ((2, 1, 1, 3), (3, 3, 3, 2), {"window_strides": (2, 2), "padding": "SAME", **NHWC}),
    "no image": ((0, 3, 7), (4, 3, 3), {"window_strides": (2,), "padding": "VALID"}),
}
POOLS = {
    "default strides": ((2, 5, 6, 3), {"window_shape": (2, 3)}),
    "tiles": ((2, 4, 6, 3), {"window_shape": (2, 2), "strides": (2, 2)}),
    "strides that leave a rest": ((2, 5, 6, 3), {"window_shape": (2, 2), "strides": (2, 3)}),
    "same": ((2, 5, 6, 3), {"window_shape": (3, 2), "strides": (2, 2), "padding": "SAME"}),
    "1-D, explicit": ((2, 7, 3), {"window_shape": (3,), "strides": (2,), "padding": ((2, 1),)}),
    "one image": ((5, 6, 3), {"window_shape": (2, 3)}),
    "all of it": ((2, 3, 2, 1), {"window_shape": (3, 2)}),
    "no image": ((0, 5, 6, 3), {"window_shape": (2, 2)}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_is_as_in_jax_to_order_two(name):
    images, kernel, keywords = CONVOLUTIONS[name]
    ours, theirs = (partial(m.conv_general_dilated, **keywords) for m in (ops, jax.lax))
    assert_as_jax(ours, theirs, arrays(images, kernel), tolerance=3e-4)


@pytest.mark.parametrize("name", ["1-D, strides", "groups"])
def test_convolution_under_vmap(name):
    images, kernel, keywords = CONVOLUTIONS[name]
    ours, theirs = (partial(m.conv_general_dilated, **keywords) for m in (ops, jax.lax))
    assert_as_jax(ours, theirs, arrays((2, *images), (2, *kernel)), tolerance=3e-4, over=jax.vmap)


def test_convolution_in_bfloat16_is_that_of_jax():
    images, kernel, keywords = CONVOLUTIONS["strides"]
    ours, theirs = (partial(m.conv_general_dilated, **keywords) for m in (ops, jax.lax))
    assert_as_jax(ours, theirs, arrays(images, kernel, dtype="bfloat16"), tolerance=2e-2)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
def test_pooling_is_that_of_flax(pool, name):
    shape, keywords = POOLS[name]
    ours, theirs = (partial(getattr(m, pool), **keywords) for m in (ops, flax.linen))
    assert_as_jax(ours, theirs, arrays(shape))


@pytest.mark.parametrize("pool", ["max_pool", "avg_pool"])
def test_pooling_under_vmap(pool):
    shape, keywords = POOLS["same"]
    ours, theirs = (partial(getattr(m, pool), **keywords) for m in (ops, flax.linen))
    assert_as_jax(ours, theirs, arrays((2, *shape)), over=jax.vmap)


def test_the_mean_can_leave_out_the_padding():
    keywords = {"window_shape": (3, 2), "strides": (2, 2), "padding": "SAME", "count_include_pad": False}
    ours, theirs = (partial(m.avg_pool, **keywords) for m in (ops, flax.linen))
    assert_as_jax(ours, theirs, arrays((2, 5, 6, 3)))


def test_the_first_of_equal_numbers_in_row_major_order_gets_the_gradient():
    x = jnp.zeros((1, 2, 2, 1)).at[0, 0, 1].set(1).at[0, 1].set(1)
    assert_as_jax(partial(ops.max_pool, window_shape=(2, 2)), partial(flax.linen.max_pool, window_shape=(2, 2)), [x])
    gradient = grad(lambda x: ops.sum(ops.max_pool(x, (2, 2))))(x)
    np.testing.assert_array_equal(gradient.ravel(), [0, 1, 0, 0])


@pytest.mark.parametrize("position", [0, 1, 3])
def test_the_maximum_of_a_window_with_nan_is_nan(position):
    x = jnp.arange(4.0).at[position].set(jnp.nan).reshape(2, 2, 1)
    assert jnp.isnan(ops.max_pool(x, (2, 2))).all()


@pytest.mark.parametrize(
    ("op", "shapes", "arguments", "message"),
    [
        (ops.max_pool, [(4, 4, 1)], [(3, 6)], "a window of 6 does not fit an axis that is 4 long"),
        (
            ops.avg_pool,
            [(4, 4, 1)],
            [(2, 2, 2)],
            r"needs inputs \(..., \*spatial, channels\), but they are \(4, 4, 1\)",
        ),
        (ops.conv_general_dilated, [(1, 1, 4), (1, 1, 5)], [(1,), "VALID"], "a window of 5 does not fit"),
        (ops.conv_general_dilated, [(1, 1, 4), (1, 1, 2)], [(1,), "SAME", (2,)], "give the padding as pairs"),
    ],
)
def test_a_window_that_does_not_fit_says_why(op, shapes, arguments, message):
    with pytest.raises(ValueError, match=message):
        op(*arrays(*shapes), *arguments)
