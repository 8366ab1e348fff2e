"""Reductions beyond the table of cases: ties, zeros in products, infinite logarithms, empty axes, sorting."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import Tensor, grad, vjp

inf = np.inf


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_entries_that_tie_share_the_gradient_as_in_jax(name, axis):
    x = jnp.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    y, ours = vjp(lambda x: getattr(ops, name)(x, axis), x)
    _, theirs = jax.vjp(lambda x: getattr(jnp, name)(x, axis), x)
    np.testing.assert_array_equal(ours(jnp.ones(y.shape))[0], theirs(jnp.ones(y.shape))[0])


def test_three_hundred_ties_are_counted_right_in_bfloat16():
    g = grad(lambda x: ops.max(x))(jnp.zeros(300, jnp.bfloat16))
    np.testing.assert_allclose(np.asarray(g, np.float32), 1 / 300, rtol=1e-2)


@pytest.mark.parametrize("x", [[2.0, 3.0, 4.0], [0.0, 3.0, 4.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
def test_products_with_zeros_are_right_to_order_three(x):
    w = jnp.array([1.0, -2.0, 3.0])

    def along_w(grad, fun):
        return lambda x: ops.sum(grad(fun)(x) * w)

    x, ours, theirs = jnp.array(x), ops.prod, lambda x: x[0] * x[1] * x[2]
    for _ in range(3):
        np.testing.assert_allclose(ours(x), theirs(x))
        ours, theirs = along_w(grad, ours), along_w(jax.grad, theirs)


def test_cumulative_products_with_zeros_are_right():
    x, g = jnp.array([2.0, 0.0, 3.0, 0.0, 5.0]), jnp.arange(1.0, 6.0)
    _, pullback = vjp(ops.cumprod, x)
    products = np.array([[np.prod(np.delete(x[: k + 1], i)) if i <= k else 0 for i in range(5)] for k in range(5)])
    np.testing.assert_allclose(pullback(g)[0], g @ products)


def test_logsumexp_of_a_row_of_minus_infinity_has_gradient_zero():
    x = jnp.array([[-inf, -inf], [-inf, 0.0], [0.0, 0.0]])
    y, pullback = vjp(lambda x: ops.logsumexp(x, -1), x)
    np.testing.assert_allclose(y, [-inf, 0, np.log(2)])
    assert pullback(jnp.ones(3))[0].tolist() == [[0, 0], [0, 1], [0.5, 0.5]]
    second = grad(lambda x: ops.sum(grad(lambda x: ops.sum(ops.logsumexp(x, -1)))(x) * jnp.array([1.0, 2.0])))(x)
    np.testing.assert_allclose(second, [[0, 0], [0, 0], [-0.25, 0.25]])


def test_logsumexp_does_not_overflow():
    y, pullback = vjp(ops.logsumexp, jnp.array([1000.0, 1000.0, -1000.0]))
    np.testing.assert_allclose(y, 1000 + np.log(2))
    np.testing.assert_allclose(pullback(jnp.float32(1))[0], [0.5, 0.5, 0], rtol=1e-4)


@pytest.mark.parametrize("name", ["mean", "var", "sum", "prod"])
def test_reductions_of_an_empty_array_have_an_empty_gradient(name):
    _, pullback = vjp(lambda x: getattr(ops, name)(x, 0), jnp.ones((0, 3)))
    assert pullback(jnp.ones(3))[0].shape == (0, 3)


def test_variance_without_degrees_of_freedom_is_nan_and_so_is_its_gradient():
    y, pullback = vjp(lambda x: ops.var(x, ddof=1), jnp.ones(1))
    assert np.isnan(y)
    assert np.isnan(pullback(jnp.float32(1))[0]).all()


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_the_maximum_of_an_empty_array_is_refused(name):
    with pytest.raises(ValueError, match=r"zero-size|empty"):
        getattr(ops, name)(jnp.ones((0,)))


@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "cumsum", "cumprod", "sort", "argmax", "any"],
)
def test_axes_that_do_not_exist_are_refused(name):
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        vjp(lambda x: getattr(ops, name)(x, 2), jnp.ones((2, 3)))


def test_sorting_keeps_equal_entries_in_order_and_so_their_gradients():
    _, pullback = vjp(ops.sort, jnp.array([1.0, 0.0, 1.0, 0.0]))
    assert pullback(jnp.arange(4.0))[0].tolist() == [2, 0, 3, 1]


def test_top_k_returns_indices_that_are_not_recorded():
    def fun(x):
        values, indices = ops.top_k(x, 2)
        assert isinstance(values, Tensor)
        assert not isinstance(indices, Tensor)
        assert indices.tolist() == [2, 0]
        return ops.sum(values * x[indices])

    np.testing.assert_allclose(grad(fun)(jnp.array([2.0, 1.0, 3.0])), [4, 0, 6])


@pytest.mark.parametrize("name", ["argmax", "argmin", "argsort", "any", "all"])
def test_sorting_and_logic_accept_tensors(name):
    x = jnp.array([[2.0, 0.0, 3.0], [0.0, 0.0, -1.0]])
    seen = []

    def fun(x):
        seen.append(getattr(ops, name)(x, axis=1))
        return ops.sum(x)

    grad(fun)(x)
    np.testing.assert_array_equal(seen[0], getattr(jnp, name)(x, axis=1))
