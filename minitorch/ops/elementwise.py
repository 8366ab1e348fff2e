"""Elementwise operations: the table of derivatives, from the easy to the hard.

A row reads: the function of JAX, then the cotangent of each argument, given the cotangent `g` of the output `y`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ..autodiff import Primitive, nondifferentiable, primitive
from ..autodiff.tape import unwrap
from .shapes import unbroadcast

if TYPE_CHECKING:
    from collections.abc import Callable


def unary(fun: Callable[..., Any], rule: Callable[..., Any], name: str | None = None) -> Primitive:
    """Return the primitive of a function of one array."""

    def op(x: Any) -> Any:
        return fun(x)

    return Primitive(_described(op, fun, name), rule)


def binary(fun: Callable[..., Any], *rules: Callable[..., Any]) -> Primitive:
    """Return the primitive of a function of two arrays that broadcast; each rule's result is unbroadcast."""

    def op(x: Any, y: Any) -> Any:
        return fun(x, y)

    rule_a, rule_b = rules
    return Primitive(
        _described(op, fun),
        lambda g, y, a, b: unbroadcast(rule_a(g, y, a, b), a),
        lambda g, y, a, b: unbroadcast(rule_b(g, y, a, b), b),
    )


def _described(op: Callable[..., Any], fun: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    op.__name__ = op.__qualname__ = name or fun.__name__
    op.__doc__ = f"Elementwise `{op.__name__}`, broadcasting, as the function of that name in JAX."
    return op


# Arithmetic.
add = binary(jnp.add, lambda g, y, a, b: g, lambda g, y, a, b: g)
subtract = binary(jnp.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g)
multiply = binary(jnp.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
divide = binary(jnp.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
negative = unary(jnp.negative, lambda g, y, x: -g)
reciprocal = unary(jnp.reciprocal, lambda g, y, x: -g * y * y)
square = unary(jnp.square, lambda g, y, x: g * 2 * x)

# Exponentials, logarithms and roots.
exp = unary(jnp.exp, lambda g, y, x: g * y)
exp2 = unary(jnp.exp2, lambda g, y, x: g * y * math.log(2))
expm1 = unary(jnp.expm1, lambda g, y, x: g * (y + 1))
log = unary(jnp.log, lambda g, y, x: g / x)
log2 = unary(jnp.log2, lambda g, y, x: g / (x * math.log(2)))
log10 = unary(jnp.log10, lambda g, y, x: g / (x * math.log(10)))
log1p = unary(jnp.log1p, lambda g, y, x: g / (x + 1))
sqrt = unary(jnp.sqrt, lambda g, y, x: g * 0.5 / y)
rsqrt = unary(jax.lax.rsqrt, lambda g, y, x: g * -0.5 * y / x)
cbrt = unary(jnp.cbrt, lambda g, y, x: g / (3 * y * y))

# Trigonometric and hyperbolic functions, and their inverses.
sin = unary(jnp.sin, lambda g, y, x: g * cos(x))
cos = unary(jnp.cos, lambda g, y, x: -g * sin(x))
tan = unary(jnp.tan, lambda g, y, x: g * (1 + y * y))
arcsin = unary(jnp.arcsin, lambda g, y, x: g * rsqrt(1 - x * x))
arccos = unary(jnp.arccos, lambda g, y, x: -g * rsqrt(1 - x * x))
arctan = unary(jnp.arctan, lambda g, y, x: g / (1 + x * x))
sinh = unary(jnp.sinh, lambda g, y, x: g * cosh(x))
cosh = unary(jnp.cosh, lambda g, y, x: g * sinh(x))
tanh = unary(jnp.tanh, lambda g, y, x: g * (1 - y * y))
arcsinh = unary(jnp.arcsinh, lambda g, y, x: g * rsqrt(x * x + 1))
arccosh = unary(jnp.arccosh, lambda g, y, x: g * rsqrt((x - 1) * (x + 1)))
arctanh = unary(jnp.arctanh, lambda g, y, x: g / (1 - x * x))

# The error function, and the smooth steps built on the exponential.
erf = unary(jax.lax.erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * exp(-(x * x)))
erfc = unary(jax.lax.erfc, lambda g, y, x: g * (-2 / math.sqrt(math.pi)) * exp(-(x * x)))
erf_inv = unary(jax.lax.erf_inv, lambda g, y, x: g * (math.sqrt(math.pi) / 2) * exp(y * y))
sigmoid = unary(jax.nn.sigmoid, lambda g, y, x: g * y * (1 - y))
softplus = unary(jax.nn.softplus, lambda g, y, x: g * sigmoid(x))
log_sigmoid = unary(jax.nn.log_sigmoid, lambda g, y, x: g * sigmoid(-x), name="log_sigmoid")
logaddexp = binary(
    jnp.logaddexp, lambda g, y, a, b: g * _summand_share(a, y), lambda g, y, a, b: g * _summand_share(b, y)
)

# Kinks. Where the derivative jumps, we follow JAX: 0 for relu, 1 for abs, a half for each of two equal arguments.
abs = unary(jnp.abs, lambda g, y, x: where(x >= 0, g, -g))
relu = unary(jax.nn.relu, lambda g, y, x: where(x > 0, g, 0))
maximum = binary(jnp.maximum, lambda g, y, a, b: g * _tie_share(a, b, y), lambda g, y, a, b: g * _tie_share(b, a, y))
minimum = binary(jnp.minimum, lambda g, y, a, b: g * _tie_share(a, b, y), lambda g, y, a, b: g * _tie_share(b, a, y))


# Functions of two arguments.
arctan2 = binary(jnp.arctan2, lambda g, y, a, b: g * b / (b * b + a * a), lambda g, y, a, b: -g * a / (b * b + a * a))
hypot = binary(jnp.hypot, lambda g, y, a, b: g * _leg_share(a, y), lambda g, y, a, b: g * _leg_share(b, y))


def _power_rule_base(g: Any, y: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):  # A constant exponent stays one: a ** 2 is a product, a ** 2.0 a logarithm.
        return g * (b * power(a, b - 1)) if b else 0 * g
    return g * where(b == 0, 0, b * power(a, where(b == 0, 1, b - 1)))  # 0 * 0 ** -1 would be NaN.


def _power_rule_exponent(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * y * log(where(a == 0, 1, a))


power = binary(jnp.power, _power_rule_base, _power_rule_exponent)


@primitive(
    lambda g, y, a, b, condition: unbroadcast(where(condition, g, 0), a),
    lambda g, y, a, b, condition: unbroadcast(where(condition, 0, g), b),
)
def _where(a: Any, b: Any, condition: Any) -> Any:
    return jnp.where(condition, a, b)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return `x` where `condition` holds and `y` elsewhere, broadcasting; as `jax.numpy.where` with three arguments."""
    return _where(x, y, unwrap(condition))


def clip(arr: Any, min: Any = None, max: Any = None) -> Any:
    """Limit `arr` to the interval from `min` to `max`; None means no limit. As `jax.numpy.clip`."""
    if min is not None:
        arr = maximum(min, arr)
    return arr if max is None else minimum(max, arr)


# Operations whose derivative does not exist or is zero: they take and return plain arrays.
equal = nondifferentiable(jnp.equal)
not_equal = nondifferentiable(jnp.not_equal)
less = nondifferentiable(jnp.less)
less_equal = nondifferentiable(jnp.less_equal)
greater = nondifferentiable(jnp.greater)
greater_equal = nondifferentiable(jnp.greater_equal)
logical_and = nondifferentiable(jnp.logical_and)
logical_or = nondifferentiable(jnp.logical_or)
logical_not = nondifferentiable(jnp.logical_not)
isnan = nondifferentiable(jnp.isnan)
isinf = nondifferentiable(jnp.isinf)
isfinite = nondifferentiable(jnp.isfinite)
sign = nondifferentiable(jnp.sign)
floor = nondifferentiable(jnp.floor)
ceil = nondifferentiable(jnp.ceil)
round = nondifferentiable(jnp.round)
floor_divide = nondifferentiable(jnp.floor_divide)


def _summand_share(x: Any, total: Any) -> Any:
    """Return exp(x) / exp(total), where exp(x) is one summand of exp(total), with JAX's 1 for inf - inf.

    If both logarithms are -inf it is 0, not NaN as in JAX.
    """
    return exp(where(equal(x, math.inf), 0, x) - where(isinf(total), 0, total))


def _tie_share(x: Any, other: Any, chosen: Any) -> Any:
    """Return the share of the cotangent that `x` gets where one of two arguments is chosen: 1, 0, or 0.5 for a tie."""
    return jnp.where(equal(x, chosen), jnp.where(equal(other, chosen), 0.5, 1.0), 0.0).astype(chosen.dtype)


def _leg_share(x: Any, y: Any) -> Any:
    """Return x / y, with JAX's 0.5 at the corner, where y is 0, and NaN where y is infinite."""
    return where(equal(y, 0), 0.5, x / where(isinf(y), math.nan, y))
