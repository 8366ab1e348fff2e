from __future__ import annotations

import inspect
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import Tensor, grad, vjp
from minitorch.ops.operators import METHODS

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge, operator.floordiv]


def assert_as_jax(fun):
    def gradient(vjp, x):
        y, pullback = vjp(fun, x)
        return y, pullback(jnp.ones(y.shape))[0]

    both = jax.jit(lambda x: (gradient(vjp, x), gradient(jax.vjp, x)))
    for ours, theirs in zip(*both(X), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("other", [2, 2.5, np.float32(2), X[0], jnp.asarray(X[:, :1])], ids=repr)
@pytest.mark.parametrize("op", BINARY)
def test_arithmetic_with_numbers_and_arrays_on_either_side(op, other):
    assert_as_jax(lambda x: op(x, other) + op(other, x))


@pytest.mark.parametrize("op", [operator.neg, operator.pos, abs])
def test_signs(op):
    assert_as_jax(lambda x: op(x) * x)


def test_matrix_products_on_either_side():
    assert_as_jax(lambda x: (x @ X.T) + (X @ jnp.ones((3, 2))) * (jnp.asarray(X) @ x.T) + X @ x.T)


@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons_are_plain_arrays(op):
    seen = []

    def fun(x):
        seen.extend([op(x, 2.0), op(2.0, x), op(jnp.asarray(X), x)])
        return ops.sum(x)

    grad(fun)(jnp.asarray(X))
    for result, expected in zip(seen, [op(X, 2.0), op(2.0, X), op(X, X)], strict=True):
        assert not isinstance(result, Tensor)
        np.testing.assert_array_equal(result, expected)


# Each as a jax.Array spells it.
CALLS = {
    "reshape": lambda x: x.reshape(3, 2) + x.reshape((3, -1)),
    "transpose": lambda x: x.transpose() + x.transpose(1, 0) + x.transpose((1, 0)),
    "T": lambda x: x.T @ x,
    "mT": lambda x: x.mT @ x,
    "flatten": lambda x: x.flatten(),
    "ravel": lambda x: x.ravel(),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "repeat": lambda x: x.repeat(2, axis=1),
    "astype": lambda x: x.astype(jnp.bfloat16).astype(jnp.float32),
    "sum": lambda x: x.sum(0) * x.sum(),
    "mean": lambda x: x.mean(-1, keepdims=True) * x,
    "var": lambda x: x.var(axis=1, ddof=1),
    "std": lambda x: x.std(0),
    "max": lambda x: x.max(0),
    "min": lambda x: x.min(axis=(0, 1)),
    "prod": lambda x: x.prod(1),
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(axis=1),
    "clip": lambda x: x.clip(1.5, 4.5),
    "dot": lambda x: x.dot(x[0]),
    "take": lambda x: x.take(jnp.array([2, 2]), axis=1),
    "argmax": lambda x: x[:, x.argmax(1)],
    "argmin": lambda x: x[:, x.argmin(1)],
    "argsort": lambda x: x[0] * x.argsort(1),
    "round": lambda x: x * x.round(),
    "any": lambda x: x * (x > 2).any(0),
    "all": lambda x: x * x.all(),
    "at": lambda x: x.at[0, 1:].set(x[1, :2]).at[1].add(1.0),
    "getitem": lambda x: x[1] * x[0, 2] + x[..., ::-1],
    "len": lambda x: x * len(x),
    "iteration": lambda x: sum(row * i for i, row in enumerate(x)),
    "attributes": lambda x: x * (x.ndim + x.size + x.shape[0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_methods_are_those_of_a_jax_array(name):
    assert_as_jax(CALLS[name])


def test_every_method_is_tested():
    bound = {name for name, value in vars(Tensor).items() if inspect.isfunction(value) and not name.startswith("_")}
    assert bound - set(CALLS) == {
        "sort"
    }  # In JAX the method sorts a copy too, but takes its arguments by keyword only.
    assert set(METHODS) <= bound


def test_sort_returns_a_sorted_copy():
    x = jnp.array([3.0, 1.0, 2.0])
    assert grad(lambda x: ops.sum(x.sort() * jnp.arange(3.0)))(x).tolist() == [2, 0, 1]


def test_assignment_is_refused_with_the_right_code():
    def fun(x):
        x[0] = 1.0
        return x.sum()

    with pytest.raises(TypeError, match=r"x = x\.at\[i\]\.set\(v\)"):
        grad(fun)(jnp.ones(2))


def test_a_tensor_is_hashed_by_identity():
    assert grad(lambda x: x.sum() * len({x, x, x * 1}))(jnp.ones(2)).tolist() == [2, 2]


def test_numpy_arrays_defer_to_the_tensor():
    y, pullback = vjp(lambda x: np.ones(3, np.float32) * x, jnp.arange(3.0))
    assert y.tolist() == [0, 1, 2]
    assert pullback(y)[0].tolist() == [0, 1, 2]
