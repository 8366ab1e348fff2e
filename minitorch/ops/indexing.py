"""Reading and writing some entries of an array: gather and scatter, each the transpose of the other.

`gather` reads, and `scatter_add` adds to zeros. They are exact transposes, because of how they treat an index outside
the array: `gather` reads 0 there, and `scatter_add` drops the value. An index is never differentiated: it is a plain
array of integers or booleans, an int, a slice, or a tuple of them. Every op passes it through `widened`, because JAX
computes with indices in their own dtype, in which the length of the axis may not exist (-1 + 300 is 43 in int8).
"""
# pyright: reportGeneralTypeIssues=false
# A rule may call the op that it decorates, which Python allows and the type checker takes for a circle.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ..autodiff import nondifferentiable, primitive
from .shapes import reshape, unbroadcast

if TYPE_CHECKING:
    from collections.abc import Sequence


def widened(index: Any) -> Any:
    """Return `index` with every array of small integers as int32."""

    def widen(part: Any) -> Any:
        dtype = getattr(part, "dtype", None)
        small = dtype is not None and jnp.issubdtype(dtype, jnp.integer) and dtype.itemsize < 4
        return part.astype(jnp.int32) if small else part

    return jax.tree.map(widen, index)


@primitive(lambda g, y, x, index: scatter_add(g, x.shape, index))
def getitem(x: Any, index: Any) -> Any:
    """Return `x[index]`, with all of NumPy's indexing. Arrays of indices are clamped to the edges, as in JAX.

    Raises:
      IndexError: an int is outside the array, where JAX would clamp it silently.
    """
    x, index = jnp.asarray(x), widened(index)
    for i, (part, n) in enumerate(zip(_parts(index, x.ndim) or (), x.shape, strict=False)):
        if _is_outside(part, n):
            raise IndexError(f"index {part} is out of bounds for axis {i} of an array of shape {x.shape}.")
    return x[index]


@primitive(lambda g, y, x, index: scatter_add(g, x.shape, index))
def gather(x: Any, index: Any) -> Any:
    """Return `x[index]`, with 0 for an index outside the array."""
    return jnp.asarray(x).at[widened(index)].get(mode="fill", fill_value=0)


@primitive(lambda g, y, x, shape, index: gather(g, index))
def scatter_add(x: Any, shape: Sequence[int], index: Any) -> Any:
    """Return zeros of `shape` with `x` added at `index`: several values for one entry add up."""
    index = widened(index)
    ranges = _ranges(index, shape)
    if ranges is None:
        return jnp.zeros(shape, x.dtype).at[index].add(x)
    x = jnp.flip(jnp.reshape(x, [len(r) for r in ranges]), [i for i, r in enumerate(ranges) if r.step < 0])
    return jax.lax.pad(x, jnp.zeros((), x.dtype), [_margins(r, n) for r, n in zip(ranges, shape, strict=True)])


def _ranges(index: Any, shape: Sequence[int]) -> list[range] | None:
    """Return the range of each axis that an index of ints and slices reads; None for other indices.

    With ranges a scatter becomes a pad, which XLA fuses with the next operation. It runs a scatter as a slow loop.
    """
    parts = _parts(index, len(shape))
    if parts is None or any(map(_is_outside, parts, shape)):
        return None
    return [range(n)[i if isinstance(i, slice) else slice(i % n, i % n + 1)] for i, n in zip(parts, shape, strict=True)]


def _parts(index: Any, ndim: int) -> list[int | slice] | None:
    """Return one int or slice for each axis; None if the index holds an array."""
    parts = [i for i in (index if isinstance(index, tuple) else (index,)) if i is not None]
    if not all((isinstance(i, int | np.integer | slice) and not isinstance(i, bool)) or i is Ellipsis for i in parts):
        return None
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    missing = ndim - len(parts) + (Ellipsis in parts)
    return [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]


def _is_outside(part: int | slice, length: int) -> bool:
    return not isinstance(part, slice) and not -length <= part < length


def _margins(entries: range, length: int) -> tuple[int, int, int]:
    """Return the numbers of zeros before, after and between the `entries` of an axis of the given length."""
    if not entries:
        return length, 0, 0
    return min(entries), length - 1 - max(entries), abs(entries.step) - 1


def _take_rule(g: Any, y: Any, a: Any, indices: Any, axis: int | None) -> Any:
    shape, i = ((a.size,), 0) if axis is None else (a.shape, axis % a.ndim)
    return reshape(scatter_add(g, shape, (slice(None),) * i + (jnp.asarray(indices),)), a.shape)


@primitive(_take_rule)
def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the entries `indices` along `axis` (None: of the raveled array), as `jax.numpy.take`; NaN outside."""
    return jnp.take(a, widened(jnp.asarray(indices)), axis)


def along_axis(indices: Any, shape: Sequence[int], axis: int) -> tuple[Any, ...]:
    """Return an index of the whole array from `indices` along one axis, aligned with the others."""
    grid = [np.arange(n).reshape(n, *(1,) * (len(shape) - i - 1)) for i, n in enumerate(shape)]
    grid[axis] = indices
    return tuple(grid)


def _take_along_axis_rule(g: Any, y: Any, arr: Any, indices: Any, axis: int | None) -> Any:
    if axis is None:
        return reshape(scatter_add(g, (arr.size,), indices), arr.shape)
    return scatter_add(g, arr.shape, along_axis(indices, arr.shape, axis))


@primitive(_take_along_axis_rule)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Return, for each row along `axis`, the entries at its own row of `indices`; as `jax.numpy.take_along_axis`."""
    return jnp.take_along_axis(arr, widened(indices), axis)


@dataclass(frozen=True)
class _Entries:
    """The entries of an array at an index: `x.at[index]`."""

    x: Any
    index: Any

    def set(self, values: Any) -> Any:
        """Return a copy of `x` with `values` (which broadcast) at the index, which must not name an entry twice."""
        return _set(self.x, values, self.index)

    def add(self, values: Any) -> Any:
        """Return a copy of `x` with `values` (which broadcast) added at the index; values for one entry add up."""
        return _add(self.x, values, self.index)


@dataclass(frozen=True)
class at:  # noqa: N801 (it is named after the property of a jax.Array)
    """`at(x)[index].set(values)` and `.add(values)`, as `x.at` of a `jax.Array`, also if only `values` is a tensor.

    Values for an index outside the array are dropped.
    """

    x: Any

    def __getitem__(self, index: Any) -> _Entries:
        return _Entries(self.x, index)


@primitive(
    lambda g, y, x, values, index: _set(g, 0, index),
    lambda g, y, x, values, index: unbroadcast(gather(g, index), values),
)
def _set(x: Any, values: Any, index: Any) -> Any:
    return jnp.asarray(x).at[widened(index)].set(values)


@primitive(lambda g, y, x, values, index: g, lambda g, y, x, values, index: unbroadcast(gather(g, index), values))
def _add(x: Any, values: Any, index: Any) -> Any:
    return jnp.asarray(x).at[widened(index)].add(values)


@primitive(
    lambda g, y, operand, start_indices, slice_sizes: dynamic_update_slice(
        jnp.zeros(operand.shape, g.dtype), g, start_indices
    )
)
def dynamic_slice(operand: Any, start_indices: Sequence[Any], slice_sizes: Sequence[int]) -> Any:
    """Return the block of shape `slice_sizes` at `start_indices`, which may be traced; as `jax.lax.dynamic_slice`.

    A block that would reach beyond the array is shifted inside.
    """
    return jax.lax.dynamic_slice(operand, widened(start_indices), slice_sizes)


@primitive(
    lambda g, y, operand, update, start_indices: dynamic_update_slice(
        g, jnp.zeros(update.shape, g.dtype), start_indices
    ),
    lambda g, y, operand, update, start_indices: dynamic_slice(g, start_indices, update.shape),
)
def dynamic_update_slice(operand: Any, update: Any, start_indices: Sequence[Any]) -> Any:
    """Return `operand` with `update` as the block at `start_indices`; as `jax.lax.dynamic_update_slice`."""
    return jax.lax.dynamic_update_slice(operand, update, widened(start_indices))


@nondifferentiable
def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Return 1 at class `x` and 0 elsewhere, on a new axis; zeros for a class outside. As `jax.nn.one_hot`.

    Raises:
      TypeError: the classes are not integers.
    """
    if not jnp.issubdtype((x := jnp.asarray(x)).dtype, jnp.integer):
        raise TypeError(f"one_hot needs integers (class numbers), but their dtype is {x.dtype}: write x.astype(int).")
    return jax.nn.one_hot(widened(x), num_classes, dtype=dtype, axis=axis)
