"""Shape ops beyond the table of cases: errors, mixed dtypes, and the helpers of the rules."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import grad, vjp
from minitorch.ops.shapes import keepdims_shape, normalize_axes, unbroadcast


def test_axes_are_counted_from_either_end():
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes(-1, 3) == (2,)
    assert normalize_axes((-1, 0), 3) == (0, 2)
    assert normalize_axes((), 3) == ()
    assert keepdims_shape((2, 3, 4), (0, -1)) == (1, 3, 1)


@pytest.mark.parametrize(
    ("axis", "message"),
    [(2, "axis 2 is out of bounds for an array with 2 axes: use -2 to 1"), ((0, -2), "names one axis twice")],
)
def test_axes_that_do_not_exist_are_refused(axis, message):
    with pytest.raises(ValueError, match=message):
        normalize_axes(axis, 2)


@pytest.mark.parametrize("shape", [(), (3,), (1,), (2, 1), (1, 3), (2, 3)])
def test_unbroadcast_sums_over_repeated_axes(shape):
    x = jnp.ones(shape, jnp.bfloat16)
    fitted = unbroadcast(jnp.ones((2, 3)), x)
    assert (fitted.shape, fitted.dtype) == (shape, jnp.bfloat16)
    assert float(fitted.sum()) == 6


def test_unbroadcast_to_an_axis_of_length_1_in_an_empty_array():
    assert unbroadcast(jnp.ones((0, 3)), jnp.ones((1, 3))).tolist() == [[0, 0, 0]]


X = np.arange(6.0, dtype=np.float32).reshape(2, 3)
WRONG = {
    "reshape to another size": (lambda x: ops.reshape(x, (4,)), r"reshape.*\(2, 3\).*\(4,\)"),
    "transpose by too few axes": (lambda x: ops.transpose(x, (0,)), "permutation|axes"),
    "swapaxes": (lambda x: ops.swapaxes(x, 0, 2), "axis 2 is out of bounds"),
    "moveaxis": (lambda x: ops.moveaxis(x, 5, 0), "axis 5 is out of bounds"),
    "moveaxis by halves": (lambda x: ops.moveaxis(x, (0, 1), 0), "as many destinations as sources"),
    "expand_dims": (lambda x: ops.expand_dims(x, 3), "axis 3 is out of bounds for an array with 3 axes"),
    "squeeze": (lambda x: ops.squeeze(x, 1), r"axis 1 of shape \(2, 3\) has length 3"),
    "broadcast_to": (lambda x: ops.broadcast_to(x, (2, 4)), "broadcast"),
    "sum": (lambda x: ops.sum(x, 2), "axis 2 is out of bounds"),
    "repeat": (lambda x: ops.repeat(x, [1, 2], 0), r"one int for all entries, got \[1, 2\]"),
    "concatenate": (lambda x: ops.concatenate([x, ops.ravel(x)]), "different numbers of dimensions"),
    "concatenate nothing": (lambda x: ops.concatenate([]), "at least one array"),
    "stack nothing": (lambda x: ops.stack([]), "at least one array"),
    "split": (lambda x: ops.split(x, 2, 1), "equal division"),
    "flip": (lambda x: ops.flip(x, 2), "axis 2 is out of bounds"),
    "roll": (lambda x: ops.roll(x, 1, 2), "axis 2 is out of bounds"),
    "pad by less than nothing": (lambda x: ops.pad(x, -1), "negative"),
    "pad in another mode": (lambda x: ops.pad(x, 1, "reflect"), "mode 'constant' only, got 'reflect'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_arguments_are_refused_with_a_reason_inside_a_gradient_and_outside(name):
    fun, message = WRONG[name]
    with pytest.raises((TypeError, ValueError), match=message):
        fun(jnp.asarray(X))
    with pytest.raises((TypeError, ValueError), match=message):
        vjp(fun, jnp.asarray(X))


def test_concatenate_gives_each_array_its_gradient_in_its_own_dtype():
    x, y = jnp.ones(2, jnp.bfloat16), jnp.ones(3, jnp.float32)
    out, pullback = vjp(lambda x, y: ops.concatenate([x, jnp.arange(2), y]), x, y)
    gx, gy = pullback(jnp.arange(7.0))
    assert out.dtype == jnp.float32
    assert (gx.dtype, gx.tolist()) == (jnp.bfloat16, [0, 1])
    assert (gy.dtype, gy.tolist()) == (jnp.float32, [4, 5, 6])


def test_an_output_of_split_that_is_not_used_has_gradient_zero():
    def first_part(x):
        first, _ = ops.split(x, 2)
        return ops.sum(first * first)

    assert grad(first_part)(jnp.arange(4.0)).tolist() == [0, 2, 0, 0]


def test_the_same_array_twice_in_a_concatenation_gets_both_gradients():
    _, pullback = vjp(lambda x: ops.concatenate([x, x]), jnp.ones(2))
    assert pullback(jnp.arange(4.0))[0].tolist() == [2, 4]


def test_a_cast_to_integers_carries_no_gradient():
    assert grad(lambda x: ops.sum(x * ops.astype(x, int)))(jnp.array([1.5, 2.5])).tolist() == [1, 2]


def test_zeros_like_and_ones_like_of_a_tensor_are_plain_arrays():
    assert grad(lambda x: ops.sum(x * ops.ones_like(x) + ops.zeros_like(x)))(jnp.ones(2)).tolist() == [1, 1]
