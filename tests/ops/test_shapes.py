"""Shape ops beyond the table of cases: errors, mixed dtypes, and the helpers of the rules."""

from __future__ import annotations

import jax
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


i64 = np.int64
WHOLE_NUMBERS = {
    **{
        name: [{"axis": a} for a in (i64(1), np.array(1), np.array([0, 1]), (i64(0), i64(1)))]
        for name in ("sum", "mean", "var", "std", "max", "min", "prod", "flip", "expand_dims")
    },
    **{name: [{"axis": i64(1)}] for name in ("cumsum", "cumprod", "sort")},  # JAX refuses an array.
    "logsumexp": [{"axis": a} for a in (i64(1), np.array([0, 1]))],
    "reshape": [{"shape": s} for s in (i64(6), np.array(6), np.array([3, 2]), (i64(3), -1))],
    "broadcast_to": [{"shape": s} for s in (np.array([2, 2, 3]), (i64(2), i64(2), 3))],
    "tile": [{"reps": r} for r in (i64(2), np.array(2), np.array([2, 1]), (i64(2), 1))],
    "transpose": [{"axes": a} for a in (np.array([1, 0]), (i64(1), i64(0)))],
    "swapaxes": [{"axis1": i64(0), "axis2": i64(1)}],
    "moveaxis": [{"source": s, "destination": d} for s, d in ((i64(0), i64(1)), (np.array([0, 1]), np.array([1, 0])))],
    "repeat": [{"repeats": r, "axis": i64(1)} for r in (i64(2), np.array(2), jnp.array(2))],
    "roll": [
        {"shift": s, "axis": a}
        for s, a in ((i64(1), i64(0)), (np.array(1), None), (np.array([1, 2]), np.array([0, 1])))
    ],
    "pad": [{"pad_width": w} for w in (i64(1), np.array([1, 2]), np.array([[0, 1], [1, 0]]))],
    "tril": [{"k": i64(-1)}],
    "take": [{"indices": np.array([0, 1]), "axis": i64(1)}],
}


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_numbers_of_numpy_and_arrays_of_them_are_taken_as_in_jax(name):
    x = jnp.arange(6.0).reshape(2, 3) + 1
    for keywords in WHOLE_NUMBERS[name]:
        ours, theirs = (getattr(m, name, None) or jax.nn.logsumexp for m in (ops, jnp))
        y, pullback = vjp(lambda x, ours=ours, keywords=keywords: ours(x, **keywords), x)
        z, expected = jax.vjp(lambda x, theirs=theirs, keywords=keywords: theirs(x, **keywords), x)
        g = jnp.arange(1.0, z.size + 1).reshape(z.shape)
        np.testing.assert_allclose(y, z, rtol=1e-6)
        np.testing.assert_allclose(pullback(g)[0], expected(g)[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "axes", [i64(1), np.array(1), np.array([[1], [0]]), np.array([1, 0]), (np.array([1]), [i64(0)])]
)
def test_tensordot_takes_axes_of_numpy(axes):
    x = jnp.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ops.tensordot(x, x.T, axes), x @ x.T)


def test_windows_may_be_arrays():
    x, w, two = jnp.arange(16.0).reshape(1, 4, 4, 1), jnp.ones((2, 2, 1, 1)), np.array([2, 2])

    def results(two):
        layout = ("NHWC", "HWIO", "NHWC")
        yield ops.max_pool(x, two, two)
        yield ops.avg_pool(x, two, two)
        yield ops.conv_general_dilated(x, w, two, "SAME", dimension_numbers=layout)
        yield ops.conv_general_dilated(x, w, (1, 1), np.array([[0, 1], [1, 0]]), two, two, dimension_numbers=layout)

    for ours, expected in zip(results(two), results((2, 2)), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_transposed_tensor_takes_an_array_of_axes():
    _, pullback = vjp(lambda x: x.transpose(np.array([1, 0])), jnp.ones((2, 3)))
    assert pullback(jnp.ones((3, 2)))[0].shape == (2, 3)
