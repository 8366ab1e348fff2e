"""Elementwise ops beyond the table of cases: kinks, edges of domains, Python numbers, ops without a derivative."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import Tensor, grad, vjp

inf = np.inf


def pulled(vjp, fun, *args):
    y, pullback = vjp(fun, *args)
    return np.stack(pullback(jnp.ones(y.shape, y.dtype)))


@pytest.mark.parametrize("name", ["abs", "relu", "sigmoid", "softplus", "log_sigmoid", "tanh", "sqrt", "cbrt", "erfc"])
def test_kinks_and_large_arguments_are_differentiated_as_in_jax(name):
    x = jnp.array([0.0, -0.0, 1e-30, 100.0, -100.0, inf, -inf, np.nan])
    theirs = getattr(jnp, name, None) or getattr(jax.nn, name, None) or getattr(jax.lax, name)
    np.testing.assert_allclose(pulled(vjp, getattr(ops, name), x), pulled(jax.vjp, theirs, x), rtol=1e-5)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_two_equal_arguments_share_the_gradient(name):
    x, y = jnp.array([1.0, 1.0, 2.0, inf, np.nan]), jnp.array([1.0, 2.0, 1.0, inf, 1.0])
    ours = pulled(vjp, getattr(ops, name), x, y)
    assert ours[:, 0].tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(ours, pulled(jax.vjp, getattr(jnp, name), x, y))


def test_clip_shares_the_gradient_at_a_bound_as_jax_does():
    x = jnp.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    ours = pulled(vjp, lambda x: ops.clip(x, 0, 1), x)
    assert ours.tolist() == [[0, 0.5, 1, 0.5, 0]]
    np.testing.assert_array_equal(ours, pulled(jax.vjp, lambda x: jnp.clip(x, 0, 1), x))


def test_clip_differentiates_its_bounds():
    x, low, high = jnp.array([-1.0, 0.5, 2.0]), jnp.float32(0), jnp.float32(1)
    _, pullback = vjp(ops.clip, x, low, high)
    assert [g.tolist() for g in pullback(jnp.ones(3))] == [[0, 1, 0], 1, 1]


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 2.0, 0.5])
def test_constant_powers_are_right_at_zero_and_of_negative_numbers_to_order_two(exponent):
    x = jnp.array([0.0, 1.0, -1.0, 2.5, -2.0])

    def first(vjp):
        return lambda x: vjp(lambda x: x**exponent, x)[1](jnp.ones(5))[0]

    np.testing.assert_allclose(first(vjp)(x), first(jax.vjp)(x), rtol=1e-5)
    np.testing.assert_allclose(pulled(vjp, first(vjp), x), pulled(jax.vjp, first(jax.vjp), x), rtol=1e-5)


def test_powers_by_an_array_of_exponents_are_right_at_zero():
    x, y = jnp.array([0.0, 0.0, 0.0, -2.0]), jnp.array([1.0, 2.0, 0.5, 3.0])
    np.testing.assert_allclose(pulled(vjp, ops.power, x, y), pulled(jax.vjp, jnp.power, x, y), rtol=1e-5)
    assert pulled(vjp, ops.power, jnp.zeros(1), jnp.zeros(1)).tolist() == [[0], [0]]  # Where JAX has NaN: x ** 0 is 1.


def test_logaddexp_of_two_logarithms_of_zero_has_gradient_zero():
    assert pulled(vjp, ops.logaddexp, jnp.array([-inf, 0.0]), jnp.array([-inf, -inf])).tolist() == [[0, 1], [0, 0]]


def test_where_excludes_the_entries_not_chosen_from_the_gradient():
    def safe_log(x):
        return ops.where(x > 0, ops.log(ops.where(x > 0, x, 1)), 0)

    assert pulled(vjp, safe_log, jnp.array([0.0, 2.0])).tolist() == [[0, 0.5]]


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3), np.array(3), True])
def test_python_numbers_do_not_change_the_dtype(number):
    x = jnp.ones(2, jnp.bfloat16)
    number = number if isinstance(number, int | float) else jnp.asarray(number, x.dtype)
    y, pullback = vjp(lambda x: 1 / (ops.multiply(x, number) - number + 1), x)
    assert y.dtype == pullback(y)[0].dtype == jnp.bfloat16


def test_each_argument_gets_its_gradient_in_its_own_dtype():
    x, y = jnp.ones((2, 3), jnp.bfloat16), jnp.full((3,), 2.0, jnp.float32)
    out, pullback = vjp(ops.multiply, x, y)
    gx, gy = pullback(jnp.ones((2, 3)))
    assert (out.dtype, gx.dtype, gy.dtype) == (jnp.float32, jnp.bfloat16, jnp.float32)
    assert gy.tolist() == [2, 2, 2]


def test_integer_arrays_get_no_gradient():
    assert grad(lambda x: ops.sum(x * jnp.arange(3)))(jnp.ones(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["sign", "floor", "ceil", "round", "isnan", "isinf", "isfinite", "logical_not"])
def test_ops_without_a_derivative_return_plain_arrays(name):
    x = jnp.array([-1.5, 0.0, 2.5, inf])
    seen = []

    def fun(x):
        seen.append(getattr(ops, name)(x))
        return ops.sum(x)

    grad(fun)(x)
    assert not isinstance(seen[0], Tensor)
    np.testing.assert_array_equal(seen[0], getattr(jnp, name)(x))


@pytest.mark.parametrize(
    "name",
    [
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "floor_divide",
    ],
)
def test_comparisons_accept_tensors(name):
    x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([2.0, 2.0, 2.0])
    seen = []

    def fun(x):
        seen.append(getattr(ops, name)(x, y))
        return ops.sum(x)

    grad(fun)(x)
    assert not isinstance(seen[0], Tensor)
    np.testing.assert_array_equal(seen[0], getattr(jnp, name)(x, y))


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises((TypeError, ValueError), match=r"\(2,\).*\(3,\)"):
        vjp(ops.add, jnp.ones(2), jnp.ones(3))
