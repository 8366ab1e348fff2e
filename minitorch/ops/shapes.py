"""Operations that move numbers without changing them, and `sum`, the transpose of broadcasting.

Each primitive is linear, and its rule calls its transpose, which is another primitive. Operations that can be expressed
with a primitive (`swapaxes` is a `transpose`) are plain functions.
"""
# pyright: reportGeneralTypeIssues=false
# A rule may call the op that it decorates, which Python allows and the type checker takes for a circle.

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..autodiff import nondifferentiable, primitive

Axis = int | Sequence[int] | None


def normalize_axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return `axis` as a sorted tuple of numbers in [0, ndim); all axes for None.

    Raises:
      ValueError: an axis does not exist, or occurs twice.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = as_ints(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} is out of bounds for an array with {ndim} axes: use -{ndim} to {ndim - 1}.")
    normal = sorted(a % ndim for a in axes)
    if len(set(normal)) < len(normal):
        raise ValueError(f"axis {axis} names one axis twice.")
    return tuple(normal)


def as_ints(x: Any) -> tuple[int, ...]:
    """Return a whole number, or a sequence or an array of them, as a tuple of ints."""
    return tuple(map(operator.index, x if isinstance(x, Sequence) or getattr(x, "ndim", 0) else (x,)))


def keepdims_shape(shape: Sequence[int], axis: Axis) -> tuple[int, ...]:
    """Return the shape after a reduction over `axis` that keeps the reduced axes, with length 1."""
    axes = normalize_axes(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def expand_reduced(g: Any, a: Any, axis: Axis) -> Any:
    """Return `g`, a reduction of `a` over `axis` with or without keepdims, repeated to the shape of `a`."""
    return broadcast_to(reshape(g, keepdims_shape(a.shape, axis)), a.shape)


def unbroadcast(g: Any, x: Any) -> Any:
    """Return the cotangent of `x`, given that of a result to which `x` was broadcast.

    It is the sum of `g` over the axes along which `x` was repeated, in the dtype of `x`.
    """
    if g.shape != x.shape:
        new = g.ndim - x.ndim
        axes = [i for i, n in enumerate(g.shape) if i < new or n != x.shape[i - new]]
        g = reshape(sum(g, axes), x.shape)
    return g if g.dtype == x.dtype else astype(g, x.dtype)


# The shape, and the order of the axes.


@primitive(lambda g, y, a, shape: reshape(g, a.shape))
def reshape(a: Any, shape: int | Sequence[int]) -> Any:
    """Return `a` in row-major order with a new `shape`, where one length may be -1; as `jax.numpy.reshape`."""
    return jnp.reshape(a, shape)


@primitive(lambda g, y, a, axes: transpose(g, None if axes is None else np.argsort(np.array(axes) % a.ndim).tolist()))
def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `a` with its axes in the order `axes`, by default reversed; as `jax.numpy.transpose`."""
    return jnp.transpose(a, axes)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Return `a` with two axes exchanged, as `jax.numpy.swapaxes`."""
    order = list(range(a.ndim))
    ((i,), (j,)) = normalize_axes(axis1, a.ndim), normalize_axes(axis2, a.ndim)
    order[i], order[j] = j, i
    return transpose(a, order)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Return `a` with the axes `source` moved to `destination`, the others in order; as `jax.numpy.moveaxis`."""
    moved, places = in_order(source, a.ndim), in_order(destination, a.ndim)
    if len(moved) != len(places):
        raise ValueError(f"moveaxis needs as many destinations as sources, got {source} and {destination}.")
    order = [i for i in range(a.ndim) if i not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return transpose(a, order)


def in_order(axis: int | Sequence[int], ndim: int) -> list[int]:
    """Return the axes as `normalize_axes` does, in the given order."""
    normalize_axes(axis, ndim)
    return [a % ndim for a in as_ints(axis)]


def expand_dims(a: Any, axis: int | Sequence[int]) -> Any:
    """Return `a` with new axes of length 1 at the positions `axis` of the result, as `jax.numpy.expand_dims`."""
    shape = list(a.shape)
    for i in normalize_axes(axis, a.ndim + len(as_ints(axis))):
        shape.insert(i, 1)
    return reshape(a, shape)


def squeeze(a: Any, axis: Axis = None) -> Any:
    """Return `a` without its axes of length 1, or without those in `axis`; as `jax.numpy.squeeze`.

    Raises:
      ValueError: an axis in `axis` has another length.
    """
    ones = [i for i, n in enumerate(a.shape) if n == 1]
    axes = ones if axis is None else normalize_axes(axis, a.ndim)
    for i in axes:
        if i not in ones:
            raise ValueError(
                f"squeeze drops axes of length 1, but axis {i} of shape {a.shape} has length {a.shape[i]}."
            )
    return reshape(a, [n for i, n in enumerate(a.shape) if i not in axes])


def ravel(a: Any) -> Any:
    """Return `a` as one axis in row-major order, as `jax.numpy.ravel`."""
    return reshape(a, (a.size,))


# Repeating numbers and summing them: each is the transpose of the other.


@primitive(lambda g, y, array, shape: unbroadcast(g, array))
def broadcast_to(array: Any, shape: int | Sequence[int]) -> Any:
    """Repeat `array` along new leading axes and axes of length 1, to `shape`; as `jax.numpy.broadcast_to`."""
    return jnp.broadcast_to(array, shape)


@primitive(lambda g, y, a, axis, keepdims: expand_reduced(g, a, axis))
def sum(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the sum over `axis`, all axes by default; as `jax.numpy.sum`."""
    return jnp.sum(a, axis=axis, keepdims=keepdims)


def repeat(a: Any, repeats: int, axis: int | None = None) -> Any:
    """Repeat each entry along `axis` (None: of the raveled array) `repeats` times; as `jax.numpy.repeat`.

    Raises:
      TypeError: `repeats` is not one number.
    """
    try:
        repeats = operator.index(repeats)
    except TypeError as error:
        raise TypeError(
            f"repeat takes one int for all entries, got {repeats!r}: for one number per entry, index with numpy.repeat."
        ) from error
    if axis is None:
        a, axis = ravel(a), 0
    (i,) = normalize_axes(axis, a.ndim)
    before, n, after = a.shape[:i], a.shape[i], a.shape[i + 1 :]
    wide = broadcast_to(reshape(a, (*before, n, 1, *after)), (*before, n, repeats, *after))
    return reshape(wide, (*before, n * repeats, *after))


def tile(A: Any, reps: int | Sequence[int]) -> Any:
    """Repeat all of `A` `reps` times along each axis, as `jax.numpy.tile`; a short `reps` counts from the last axis."""
    reps = as_ints(reps)
    rank = max(len(reps), A.ndim)
    pairs = list(zip((1,) * (rank - len(reps)) + reps, (1,) * (rank - A.ndim) + tuple(A.shape), strict=True))
    wide = broadcast_to(reshape(A, [m for _, n in pairs for m in (1, n)]), [m for pair in pairs for m in pair])
    return reshape(wide, [r * n for r, n in pairs])


@primitive(lambda g, y, x, dtype: astype(g, x.dtype))
def astype(x: Any, dtype: Any) -> Any:
    """Convert `x` to another dtype, as `jax.numpy.astype`. An integer result carries no gradient."""
    return jnp.asarray(x).astype(dtype)


# Several arrays, and one: `concatenate` and `split`.


def _concatenate_rule(g: Any, y: Any, *arrays: Any, axis: int) -> tuple[Any, ...]:
    ends = np.cumsum([a.shape[axis] for a in arrays])
    return tuple(unbroadcast(piece, a) for piece, a in zip(split(g, ends[:-1].tolist(), axis), arrays, strict=True))


@primitive(joint=_concatenate_rule)
def _concatenate(*arrays: Any, axis: int) -> Any:
    return jnp.concatenate(arrays, axis)


@primitive(lambda g, y, ary, indices_or_sections, axis: concatenate(g, axis))
def _split(ary: Any, indices_or_sections: int | Sequence[int], axis: int) -> tuple[Any, ...]:
    return tuple(jnp.split(ary, indices_or_sections, axis))


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Join `arrays` along `axis` (None: ravel them first); as `jax.numpy.concatenate`."""
    if axis is None:
        arrays, axis = [ravel(a) for a in arrays], 0
    return _concatenate(*arrays, axis=axis)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join `arrays` of one shape along a new axis, as `jax.numpy.stack`."""
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


def split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Split `ary` along `axis` into equal sections, or at the given indices; as `jax.numpy.split`."""
    return list(_split(ary, indices_or_sections, axis))


# Moving numbers along an axis, and inserting zeros.


@primitive(lambda g, y, m, axis: flip(g, axis))
def flip(m: Any, axis: Axis = None) -> Any:
    """Reverse `m` along `axis`, all axes by default; as `jax.numpy.flip`."""
    return jnp.flip(m, axis)


@primitive(lambda g, y, a, shift, axis: roll(g, jax.tree.map(lambda s: -s, shift), axis))
def roll(a: Any, shift: int | Sequence[int], axis: Axis = None) -> Any:
    """Shift `a` cyclically along `axis` (None: the raveled array); as `jax.numpy.roll`."""
    return jnp.roll(a, shift, axis)


@primitive(lambda g, y, m, k: tril(g, k))
def tril(m: Any, k: int = 0) -> Any:
    """Return the matrices `m` (..., M, N) with zeros above the `k`-th diagonal, as `jax.numpy.tril`."""
    return jnp.tril(m, k)


@primitive(lambda g, y, m, k: triu(g, k))
def triu(m: Any, k: int = 0) -> Any:
    """Return the matrices `m` (..., M, N) with zeros below the `k`-th diagonal, as `jax.numpy.triu`."""
    return jnp.triu(m, k)


def _pad_rule(g: Any, y: Any, array: Any, pad_width: Any, constant_values: Any) -> Any:
    before = np.broadcast_to(pad_width, (array.ndim, 2))[:, 0].tolist()
    return g[tuple(slice(b, b + n) for b, n in zip(before, array.shape, strict=True))]


@primitive(_pad_rule)
def _pad(array: Any, pad_width: Any, constant_values: Any) -> Any:
    return jnp.pad(array, pad_width, constant_values=constant_values)


def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Any:
    """Pad `array` with `constant_values`, as `jax.numpy.pad` in the mode "constant".

    `pad_width` is a number for all edges, a pair (before, after) for all axes, or one pair per axis.

    Raises:
      ValueError: `mode` is not "constant".
    """
    if mode != "constant":
        raise ValueError(f"pad has mode 'constant' only, got {mode!r}: build other edges with concatenate and flip.")
    return _pad(array, pad_width, constant_values)


zeros_like = nondifferentiable(jnp.zeros_like)
ones_like = nondifferentiable(jnp.ones_like)
