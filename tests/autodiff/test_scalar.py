"""The scalar autodiff engine of the first lecture."""

from __future__ import annotations

import operator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.autodiff.scalar import Scalar

FUNCTIONS = {
    "+": (lambda x, y: x + y + 2, lambda x, y: x + y + 2),
    "-": (lambda x, y: (x - y) - (3 - x), lambda x, y: (x - y) - (3 - x)),
    "*": (lambda x, y: 3 * x * y * x, lambda x, y: 3 * x * y * x),
    "/": (lambda x, y: x / y + 2 / x, lambda x, y: x / y + 2 / x),
    "negative": (lambda x, y: -x * y, lambda x, y: -x * y),
    "**": (lambda x, y: x**3 + y**-0.5 + x**0, lambda x, y: x**3 + y**-0.5 + x**0),
    "** of two": (lambda x, y: y**x + 2**x, lambda x, y: y**x + 2**x),
    "exp": (lambda x, y: (x * y).exp(), lambda x, y: jnp.exp(x * y)),
    "log": (lambda x, y: (x * x + y).log(), lambda x, y: jnp.log(x * x + y)),
    "tanh": (lambda x, y: (x * y).tanh() * y, lambda x, y: jnp.tanh(x * y) * y),
    "relu": (lambda x, y: x.relu() + y.relu() * 2, lambda x, y: jax.nn.relu(x) + jax.nn.relu(y) * 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("at", [(0.8, 1.7), (-0.6, 0.4)])
def test_value_and_derivatives_are_those_of_jax(name, at):
    ours, theirs = FUNCTIONS[name]
    x, y = (Scalar(a) for a in at)
    out = ours(x, y)
    out.backward()
    value, slopes = jax.value_and_grad(theirs, (0, 1))(*at)
    assert out.value == pytest.approx(float(value), rel=1e-5)
    assert (x.grad, y.grad) == pytest.approx([float(slope) for slope in slopes], rel=1e-5, abs=1e-6)


def test_a_number_used_twice_gets_both_derivatives():
    x = Scalar(3.0)
    y = x * x
    (y + y).backward()
    assert (x.grad, y.grad) == (12, 2)


def test_backward_overwrites_earlier_gradients():
    x = Scalar(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad == 6
    x.backward()
    assert x.grad == 1


def test_a_chain_of_100000_operations_has_no_recursion_limit():
    x = y = Scalar(1.0)
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert (y.value, x.grad) == (100_001, 100_001)


def test_a_perceptron_learns_exclusive_or():
    weights = [Scalar(w) for w in (1.0, 0.9, -0.1, 0.8, 1.1, -1.2, 1.0, -1.1, 0.1)]

    def loss():
        total = Scalar(0)
        for a, b, target in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            w = weights
            left, right = (w[0] * a + w[1] * b + w[2]).tanh(), (w[3] * a + w[4] * b + w[5]).tanh()
            total = total + (w[6] * left + w[7] * right + w[8] - target) ** 2
        return total

    for _ in range(300):
        loss().backward()
        for w in weights:
            w.value -= 0.1 * w.grad
    assert loss().value < 0.01


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x + "1", TypeError, "computes with numbers, not with str"),
        (lambda x: x * jnp.ones(3), TypeError, "for arrays use minitorch.grad"),
        (lambda x: x**0.5, ValueError, r"-2 \*\* 0.5 is not a real number"),
        (lambda x: x.log(), ValueError, r"log\(-2\) is not a real number: take the logarithm of a positive"),
        (lambda x: (x + 2).log(), ValueError, r"log\(0\) is not a real number"),
        (lambda x: np.ones(3) * x, TypeError, "for arrays use minitorch.grad"),
        (lambda x: x + 1j, TypeError, "not with complex"),
        (lambda x: x + np.complex64(1j), TypeError, "not with complex64"),
        (lambda x: x / 0, ZeroDivisionError, None),
    ],
)
def test_an_operation_without_a_value_is_an_error(call, error, message):
    with pytest.raises(error, match=message):
        call(Scalar(-2.0))


class Two:
    """A whole number of somebody's own."""

    def __index__(self):
        return 2


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize(
    "two",
    [
        *(t(2) for t in (float, np.float16, np.float32, np.float64, np.int8, np.uint8, np.int64, Fraction)),
        *(np.array(2), np.array(2.0), jnp.array(2), jnp.float32(2), jnp.bfloat16(2), Two()),
    ],
    ids=lambda two: f"{type(two).__name__}-{getattr(two, 'dtype', '')}",
)
def test_every_kind_of_number_may_stand_on_either_side(op, two):
    for ours, same in ((lambda x: op(x, two), lambda x: op(x, 2)), (lambda x: op(two, x), lambda x: op(2, x))):
        x, z = Scalar(3.0), Scalar(3.0)
        y, expected = ours(x), same(z)
        y.backward()
        expected.backward()
        assert isinstance(y, Scalar)
        assert (y.value, x.grad) == (expected.value, z.grad)


def test_an_infinite_derivative_is_an_error_with_advice():
    x = Scalar(0.0)
    y = (x * x) ** 0.5
    with pytest.raises(
        ZeroDivisionError, match=r"x \*\* 0.5 is infinite at x = 0: keep x away .* \(x \+ 1e-12\) \*\* 0.5"
    ):
        y.backward()


@pytest.mark.parametrize("exponent", [1, 1.5, 2, 3])
def test_powers_of_zero_are_differentiated_as_in_jax(exponent):
    x, n = Scalar(0.0), Scalar(exponent)
    (x**n).backward()
    assert (x.grad, n.grad) == tuple(map(float, jax.grad(jnp.power, (0, 1))(0.0, float(exponent))))


def test_the_exponent_of_a_negative_number_has_no_derivative_unless_it_is_a_constant():
    x, n = Scalar(-2.0), Scalar(2.0)
    (x**n).backward()
    assert x.grad == -4
    assert np.isnan(n.grad)
    y = x**2
    y.backward()
    assert [node.grad for node in y.parents] == [-4, 0]
