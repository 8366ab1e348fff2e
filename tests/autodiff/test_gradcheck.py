"""check_grads accepts right derivatives and catches wrong ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from minitorch import ops
from minitorch.autodiff import check_grads, primitive, stop_gradient

X = jnp.array([0.5, -1.0, 0.8])
Y = jnp.array([0.3, 0.9, -0.4])


def wrong_product(rule_x, rule_y=lambda g, y, a, b: g * a):
    @primitive(rule_x, rule_y)
    def product(x, y):
        return x * y

    return product


@pytest.mark.parametrize(
    ("fun", "args"),
    [
        (wrong_product(lambda g, y, a, b: g * b), (X, Y)),
        (lambda x: ops.tanh(ops.outer(x, x)), (X,)),
        (lambda p, x: {"a": [p["w"] @ x], "b": ops.logsumexp(p["w"])}, ({"w": ops.outer(X, Y)}, Y)),
        (lambda x: ops.sum(ops.sin(x) * 100), (X,)),
        (ops.exp, (0.5,)),
        (lambda x: ops.sin(x) * 1e-4, (X,)),
        (lambda x: ops.sin(x) + 1000, (X,)),
        (lambda x: ops.sum(stop_gradient(X)), (X,)),
    ],
)
def test_right_derivatives_pass(fun, args):
    check_grads(fun, args)


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, y, a, b: 2 * g * b,
        lambda g, y, a, b: -g * b,
        lambda g, y, a, b: g * (b + 0.1),
        lambda g, y, a, b: g * b * jnp.array([1.0, 1.0, 0.9]),
        lambda g, y, a, b: 0 * g,
        lambda g, y, a, b: g * b * jnp.nan,
    ],
    ids=["a factor 2", "a wrong sign", "one term too much", "one number of three", "zero", "NaN"],
)
def test_a_wrong_rule_is_caught(rule):
    with pytest.raises(AssertionError, match="of product is wrong"):
        check_grads(wrong_product(rule), (X, Y), order=1)


def test_a_wrong_rule_is_caught_where_derivatives_are_small():
    small = primitive(lambda g, y, x: g * 1.1e-4 * ops.cos(x))(lambda x: 1e-4 * jnp.sin(x))
    with pytest.raises(AssertionError):
        check_grads(small, (X,), order=1)


def test_a_rule_that_forgets_the_second_term_of_a_sum_is_caught():
    square_plus = primitive(lambda g, y, x: g * 2 * x)(lambda x: x * x + x)
    with pytest.raises(AssertionError):
        check_grads(square_plus, (X,), order=1)


def test_a_right_rule_with_a_wrong_derivative_is_caught_at_order_two():
    sine = primitive(lambda g, y, x: g * stop_gradient(ops.cos(x)))(jnp.sin)
    check_grads(sine, (X,), order=1)
    with pytest.raises(AssertionError, match="of vjp of sin is wrong"):
        check_grads(sine, (X,), order=2)


def test_the_message_names_function_input_received_and_expected():
    double = primitive(lambda g, y, x: 3 * g)(lambda x: 2 * x)
    double.__name__ = "double"
    with pytest.raises(AssertionError) as error:
        check_grads(double, (jnp.float32(0.25),))
    first, given, received, expected = str(error.value).splitlines()
    assert first == "the jvp of double is wrong"
    assert "input:" in given
    assert "0.25" in given
    received, expected = (float(line.split()[1]) for line in (received, expected))
    assert received == pytest.approx(1.5 * expected, rel=1e-2)


def test_in_float64_a_smaller_mistake_is_caught():
    slightly_wrong = primitive(lambda g, y, x: g * y * 1.001)(jnp.exp)
    check_grads(slightly_wrong, (X,), order=1)
    with jax.enable_x64(True), pytest.raises(AssertionError):
        check_grads(slightly_wrong, (jnp.asarray(X, "float64"),), order=1)


def test_the_tolerance_can_be_set():
    slightly_wrong = primitive(lambda g, y, x: g * y * 1.1)(jnp.exp)
    check_grads(slightly_wrong, (X,), order=1, rtol=0.5)
    with pytest.raises(AssertionError):
        check_grads(slightly_wrong, (X,), order=1)


def test_half_precision_is_refused():
    with pytest.raises(TypeError, match="needs float32 or float64 arguments, got bfloat16"):
        check_grads(ops.sin, (X.astype("bfloat16"),))
