"""Indexing beyond the table of cases: repeated indices, indices outside, errors, and slices without a scatter."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from minitorch import ops
from minitorch.autodiff import grad, vjp
from minitorch.ops.indexing import gather, scatter_add

X = np.arange(1.0, 25.0, dtype=np.float32).reshape(3, 4, 2)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(hnp.basic_indices(X.shape, allow_newaxis=True))
def test_ints_slices_and_new_axes_read_and_write_as_in_numpy(index):
    def read_and_write(x):
        y, pullback = vjp(lambda x: x[index], x)
        return y, pullback(y)[0]

    read, written = jax.jit(read_and_write)(X)
    np.testing.assert_array_equal(read, X[index])
    expected = np.zeros_like(X)
    expected[index] = X[index]
    np.testing.assert_array_equal(written, expected)


@pytest.mark.parametrize(
    "index", [np.s_[1:], np.s_[:, ::-2], np.s_[..., 0], np.s_[None, 2, 1:3], np.s_[-1], np.s_[3:1]]
)
def test_the_gradient_of_a_slice_is_a_pad_which_xla_can_fuse(index):
    def backward(x):
        y, pullback = vjp(lambda x: x[index], x)
        return pullback(y)[0]

    text = str(jax.make_jaxpr(backward)(X))
    assert "pad" in text
    assert "scatter" not in text


def test_an_entry_that_is_read_several_times_gets_the_sum():
    ids = jnp.array([[2, 0], [2, 2]])
    for fun in (lambda w: w[ids], lambda w: ops.take(w, ids, 0)):
        y, pullback = vjp(fun, jnp.ones((3, 2)))
        assert y.shape == (2, 2, 2)
        assert pullback(jnp.ones(y.shape))[0].tolist() == [[1, 1], [0, 0], [3, 3]]


def test_an_index_outside_the_array_gets_no_gradient_as_in_jax():
    x, g, ids = jnp.arange(3.0), jnp.array([1.0, 2.0, 3.0]), jnp.array([0, 5, -1])
    for ours, theirs in [
        (lambda x: x[ids], lambda x: x[ids]),
        (lambda x: ops.take(x, ids), lambda x: jnp.take(x, ids)),
        (lambda x: ops.take_along_axis(x, ids), lambda x: jnp.take_along_axis(x, ids)),
    ]:
        np.testing.assert_array_equal(vjp(ours, x)[0], jax.vjp(theirs, x)[0])
        np.testing.assert_array_equal(vjp(ours, x)[1](g)[0], jax.vjp(theirs, x)[1](g)[0])


def test_gather_and_scatter_add_are_transposes_inside_and_outside_the_array():
    index = jnp.array([0, 7, -1, 0])
    x, z = jnp.arange(1.0, 4.0), jnp.arange(1.0, 5.0)
    assert gather(x, index).tolist() == [1, 0, 3, 1]
    assert scatter_add(z, (3,), index).tolist() == [5, 0, 3]
    assert jnp.vdot(gather(x, index), z) == jnp.vdot(x, scatter_add(z, (3,), index))


def test_an_int_outside_the_array_is_refused():
    with pytest.raises(IndexError, match=r"index 3 is out of bounds for axis 0 of an array of shape \(3, 4, 2\)"):
        vjp(lambda x: x[3], jnp.asarray(X))
    with pytest.raises(IndexError, match="index -5 is out of bounds for axis 1"):
        ops.getitem(X, (..., -5, slice(None)))


def test_too_many_indices_are_refused():
    with pytest.raises(IndexError, match="Too many indices"):
        vjp(lambda x: x[0, 0, 0, 0], jnp.asarray(X))


def test_at_set_and_at_add_with_a_tensor_on_either_side():
    x, v = jnp.arange(3.0), jnp.array([10.0, 20.0])
    index = jnp.array([2, 0])
    for fun in (lambda x, v: ops.at(x)[index].set(v), lambda x, v: x.at[index].set(v)):
        y, pullback = vjp(fun, x, v)
        assert y.tolist() == [20, 1, 10]
        assert [g.tolist() for g in pullback(jnp.array([1.0, 2.0, 3.0]))] == [[0, 2, 0], [3, 1]]
    y, pullback = vjp(lambda v: ops.at(x)[index].add(v), v)
    assert y.tolist() == [20, 1, 12]
    assert pullback(jnp.array([1.0, 2.0, 3.0]))[0].tolist() == [3, 1]


def test_values_added_to_one_entry_add_up_and_each_gets_the_gradient():
    index = jnp.array([1, 1, 9])
    y, pullback = vjp(lambda v: ops.at(jnp.zeros(3))[index].add(v), jnp.array([1.0, 2.0, 4.0]))
    assert y.tolist() == [0, 3, 0]
    assert pullback(jnp.array([5.0, 6.0, 7.0]))[0].tolist() == [6, 6, 0]  # What was dropped has no influence.


def test_a_block_that_reaches_beyond_the_array_is_shifted_inside():
    x = jnp.arange(5.0)
    y, pullback = vjp(lambda x: ops.dynamic_slice(x, (4,), (2,)), x)
    assert y.tolist() == [3, 4]
    assert pullback(jnp.array([1.0, 2.0]))[0].tolist() == [0, 0, 0, 1, 2]
    y, pullback = vjp(lambda x, u: ops.dynamic_update_slice(x, u, (4,)), x, jnp.array([7.0, 8.0]))
    assert y.tolist() == [0, 1, 2, 7, 8]
    assert [g.tolist() for g in pullback(x + 1)] == [[1, 2, 3, 0, 0], [4, 5]]


def test_traced_starts_under_jit():
    block = jax.jit(lambda x, i: grad(lambda x: ops.sum(ops.dynamic_slice(x, (i,), (2,)) ** 2))(x))
    assert block(jnp.arange(4.0), 1).tolist() == [0, 2, 4, 0]


def test_a_mask_chooses_where_it_is_true():
    x = jnp.array([1.0, -2.0, 3.0])
    assert grad(lambda x: ops.sum(x[x > 0] ** 2))(x).tolist() == [2, 0, 6]


def test_one_hot_is_a_plain_array_that_selects():
    weight = jnp.arange(6.0).reshape(3, 2)
    assert grad(lambda w: ops.sum(ops.one_hot(jnp.array([2, 2]), 3) @ w))(weight).tolist() == [[0, 0], [0, 0], [2, 2]]


IDS = {
    "int8": [0, 5, 127, -1, -128],
    "uint8": [0, 5, 127, 128, 255],
    "int16": [0, 5, 298, -1, -299],
    "uint16": [0, 5, 299, 256, 128],
    "uint32": [0, 5, 299, 256, 128],
}


@pytest.mark.parametrize("dtype", IDS)
def test_indices_of_every_integer_type_mean_what_they_mean_in_numpy(dtype):
    x, ids = np.arange(300.0, dtype=np.float32), np.array(IDS[dtype], dtype)
    count = np.zeros_like(x)
    count[ids] = 1
    index = jnp.asarray(ids)
    reads = {
        "getitem": lambda x: ops.getitem(x, index),
        "gather": lambda x: gather(x, (index,)),
        "take": lambda x: ops.take(x, index),
        "take_along_axis": lambda x: ops.take_along_axis(x, index),
        "dynamic_slice": lambda x: ops.concatenate([ops.dynamic_slice(x, (i,), (1,)) for i in index]),
        "NumPy integers": lambda x: ops.stack([ops.getitem(x, i) for i in ids]),
    }
    for name, read in reads.items():
        y, pullback = vjp(read, jnp.asarray(x))
        np.testing.assert_array_equal(y, x[ids], err_msg=name)
        np.testing.assert_array_equal(pullback(jnp.ones_like(y))[0], count, err_msg=name)
    zeros, ones = jnp.zeros_like(x), jnp.ones(5)
    writes = {
        "set": ops.at(zeros)[index].set(ones),
        "add": ops.at(zeros)[index].add(ones),
        "scatter_add": scatter_add(ones, (300,), index),
        "dynamic_update_slice": sum(ops.dynamic_update_slice(zeros, ones[:1], (i,)) for i in index),
    }
    for name, written in writes.items():
        np.testing.assert_array_equal(written, count, err_msg=name)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32"])
def test_one_hot_of_a_class_outside_is_zero_in_every_integer_type(dtype):
    classes = np.array([0, 44, 127, -1 % 256 if dtype == "uint8" else -1]).astype(dtype)
    np.testing.assert_array_equal(ops.one_hot(classes, 300), np.arange(300) == classes[:, None].astype(int))
    np.testing.assert_array_equal(ops.one_hot(classes, 40), np.arange(40) == classes[:, None].astype(int))
    assert ops.one_hot(jnp.array([[0, 2]]), 3, dtype=int, axis=0).tolist() == [[[1, 0]], [[0, 0]], [[0, 1]]]


@pytest.mark.parametrize("ids", [jnp.array([0.0, 1.0]), jnp.array([0.5]), np.array([1.0], np.float16)])
def test_floats_are_no_indices(ids):
    x = jnp.arange(3.0)
    with pytest.raises(TypeError, match=r"one_hot needs integers .* their dtype is float"):
        ops.one_hot(ids, 3)
    for read in (lambda: ops.take(x, ids), lambda: ops.getitem(x, ids), lambda: ops.take_along_axis(x, ids)):
        with pytest.raises((TypeError, ValueError, IndexError), match="integer"):
            read()


def test_take_along_a_missing_axis_is_refused():
    with pytest.raises(ValueError, match="axis 3 is out of bounds"):
        vjp(lambda x: ops.take(x, jnp.array([0]), 3), jnp.asarray(X))
