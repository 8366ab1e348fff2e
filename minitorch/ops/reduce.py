"""Reductions along any axes, and sorting.

`axis` is None for all axes, an int, or a tuple of ints. Most rules begin by expanding the cotangent over the reduced
axes. `sum` itself is in `shapes`, as the transpose of `broadcast_to`.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..autodiff import nondifferentiable, primitive, vjp
from ..autodiff.tape import unwrap
from .elementwise import equal, exp, isnan, sqrt, where
from .indexing import along_axis, scatter_add, take_along_axis
from .shapes import Axis, concatenate, expand_reduced, flip, moveaxis, normalize_axes, ravel, reshape, stack, sum

# Sums in disguise.


def _count(a: Any, axis: Axis) -> int:
    return math.prod(a.shape[i] for i in normalize_axes(axis, a.ndim))


@primitive(lambda g, y, a, axis, keepdims: expand_reduced(g, a, axis) / _count(a, axis))
def mean(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the arithmetic mean over `axis`, as `jax.numpy.mean`; NaN over an empty axis."""
    return jnp.mean(a, axis=normalize_axes(axis, jnp.ndim(a)), keepdims=keepdims)


def _var_rule(g: Any, y: Any, a: Any, axis: Axis, ddof: int, keepdims: bool) -> Any:
    degrees = _count(a, axis) - ddof
    centered = a - mean(a, axis, keepdims=True)
    centered = centered - mean(centered, axis, keepdims=True)  # Zero; NaN for the whole row if one entry is infinite.
    return expand_reduced(g, a, axis) * centered * (2 / degrees if degrees > 0 else math.nan)


@primitive(_var_rule)
def var(a: Any, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the variance over `axis`, with the divisor n - `ddof`; as `jax.numpy.var`."""
    return jnp.var(a, axis=normalize_axes(axis, jnp.ndim(a)), ddof=ddof, keepdims=keepdims)


def std(a: Any, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    """Return the square root of `var`, as `jax.numpy.std`. Its gradient is NaN if all numbers are equal."""
    return sqrt(var(a, axis, ddof=ddof, keepdims=keepdims))


def _logsumexp_rule(g: Any, y: Any, a: Any, axis: Axis, keepdims: bool) -> Any:
    # Not exp(a - y): the digits of log(n) are lost in a large y, and n equal entries would each get more than 1 / n.
    largest = jax.lax.stop_gradient(jnp.max(unwrap(a), axis, keepdims=True))
    e = exp(a - jnp.where(jnp.isfinite(largest), largest, 0))
    total = sum(e, axis, keepdims=True)
    return expand_reduced(g, a, axis) * e / where(equal(total, 0), 1, total)


@primitive(_logsumexp_rule)
def logsumexp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return log(sum(exp(a))) over `axis` without overflow, as `jax.nn.logsumexp`; the gradient is the softmax.

    Unlike in JAX, the gradient of a row of -inf is 0 and not NaN: a fully masked row has no influence.
    """
    return jax.nn.logsumexp(a, axis=axis, keepdims=keepdims)


def _cumsum_rule(g: Any, y: Any, a: Any, axis: int) -> Any:
    return flip(_cumsum(flip(g, axis), axis), axis)


@primitive(_cumsum_rule)
def _cumsum(a: Any, axis: int) -> Any:
    return jnp.cumsum(a, axis)


def cumsum(a: Any, axis: int | None = None) -> Any:
    """Return the sums of all prefixes along `axis` (None: of the raveled array); as `jax.numpy.cumsum`."""
    return _cumsum(ravel(a), 0) if axis is None else _cumsum(a, axis)


# Products. The textbook rule g * y / x fails where x is zero. A product taken by multiplications alone, in halves, has
# a derivative that is right everywhere and to every order, so that is what is differentiated.


def _by_halves(a: Any, axis: Axis) -> Any:
    axes = normalize_axes(axis, a.ndim)
    x = moveaxis(a, axes, range(-len(axes), 0))
    x = reshape(x, (*x.shape[: a.ndim - len(axes)], _count(a, axis)))
    while (n := x.shape[-1]) > 1:
        pairs = x[..., : n // 2] * x[..., n // 2 : n // 2 * 2]
        x = concatenate([pairs, x[..., -1:]], -1) if n % 2 else pairs
    return x[..., 0]


def _prod_rule(g: Any, y: Any, a: Any, axis: Axis, keepdims: bool) -> Any:
    if not a.size:
        return jnp.zeros(a.shape, a.dtype)
    y, pullback = vjp(lambda a: _by_halves(a, axis), a)
    return pullback(reshape(g, y.shape))[0]


@primitive(_prod_rule)
def prod(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the product over `axis`, as `jax.numpy.prod`; its gradient is right at zeros, too."""
    return jnp.prod(a, axis=axis, keepdims=keepdims)


def _by_pairs(x: Any) -> Any:
    """Return the cumulative products along the last axis: those of pairs of entries, and one more entry between them.

    Source: Blelloch, "Prefix sums and their applications", 1990.
    """
    if (n := x.shape[-1]) < 2:
        return x
    odd = _by_pairs(x[..., :-1:2] * x[..., 1::2])
    even = concatenate([x[..., :1], odd[..., : (n - 1) // 2] * x[..., 2::2]], -1)
    pairs = stack([even[..., : n // 2], odd], -1)
    return concatenate([reshape(pairs, (*x.shape[:-1], n // 2 * 2)), even[..., n // 2 :]], -1)


def _cumprod_rule(g: Any, y: Any, a: Any, axis: int) -> Any:
    return vjp(lambda a: moveaxis(_by_pairs(moveaxis(a, axis, -1)), -1, axis), a)[1](g)[0]


@primitive(_cumprod_rule)
def _cumprod(a: Any, axis: int) -> Any:
    return jnp.cumprod(a, axis)


def cumprod(a: Any, axis: int | None = None) -> Any:
    """Return the products of all prefixes along `axis` (None: of the raveled array); as `jax.numpy.cumprod`."""
    return _cumprod(ravel(a), 0) if axis is None else _cumprod(a, axis)


# Maximum, minimum and sorting: the cotangent goes to the entry that the number came from.


def _extremum_rule(g: Any, y: Any, a: Any, axis: Axis, keepdims: bool) -> Any:
    y = expand_reduced(y, a, axis)
    chosen = equal(a, y)
    ties = jnp.sum(chosen, axis, keepdims=True)  # Plain arrays: the choice of entries has no derivative.
    return expand_reduced(g, a, axis) * jnp.where(isnan(y), math.nan, chosen / ties).astype(a.dtype)


@primitive(_extremum_rule)
def max(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the largest entry over `axis`, as `jax.numpy.max`; entries that tie share the gradient."""
    return jnp.max(a, axis=axis, keepdims=keepdims)


@primitive(_extremum_rule)
def min(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the smallest entry over `axis`, as `jax.numpy.min`; entries that tie share the gradient."""
    return jnp.min(a, axis=axis, keepdims=keepdims)


def _sort_rule(g: Any, y: Any, a: Any, axis: int, descending: bool) -> Any:
    g = flip(g, axis) if descending else g  # JAX sorts up and then flips, so the last of equal entries comes first.
    return take_along_axis(g, argsort(argsort(a, axis), axis), axis)  # The inverse of a permutation sorts it.


@primitive(_sort_rule)
def _sort(a: Any, axis: int, descending: bool) -> Any:
    return jnp.sort(a, axis, descending=descending)


def sort(a: Any, axis: int | None = -1, *, descending: bool = False) -> Any:
    """Sort `a` along `axis` (None: the raveled array); as `jax.numpy.sort`."""
    return _sort(ravel(a), 0, descending) if axis is None else _sort(a, axis, descending)


@primitive(lambda g, y, operand, k, axis: scatter_add(g[0], operand.shape, along_axis(y[1], operand.shape, axis)))
def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """Return the `k` largest entries along `axis`, in descending order, and their int32 indices; as `jax.lax.top_k`."""
    values, indices = jax.lax.top_k(operand, k, axis=axis)
    return values, indices


@nondifferentiable
def argmax(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return the index of the first largest entry along `axis` (None: of the raveled array); as `jax.numpy.argmax`."""
    normalize_axes(axis, jnp.ndim(a))
    return jnp.argmax(a, axis, keepdims=keepdims)


@nondifferentiable
def argmin(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return the index of the first smallest entry along `axis` (None: of the raveled array); as `jax.numpy.argmin`."""
    normalize_axes(axis, jnp.ndim(a))
    return jnp.argmin(a, axis, keepdims=keepdims)


argsort = nondifferentiable(jnp.argsort)
any = nondifferentiable(jnp.any)
all = nondifferentiable(jnp.all)
