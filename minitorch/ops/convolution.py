"""Convolution and pooling: a small window slides over the spatial axes of an image.

A convolution is linear in the image and in the kernel, and both its transposes are convolutions again. In one
dimension, with stride `s`, image dilation `d`, kernel dilation `r` and `lo` zeros before the image, output `o` sums
the products `x[i] w[k]` over

    i d = o s + k r - lo.

Solved for the output, `o s = i d - k r + lo`: in the rule of `x`, stride and image dilation change places, and the
kernel is flipped. Solved for the kernel, `k r = i d - o s + lo`: in the rule of `w`, the cotangent, dilated by `s`, is
the kernel.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from ..autodiff import primitive
from . import shapes
from .elementwise import greater, isnan, logical_or, where

if TYPE_CHECKING:
    from collections.abc import Sequence

Pads = tuple[tuple[int, int], ...]


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
) -> Any:
    """Convolve images with any number of spatial axes, as `jax.lax.conv_general_dilated`.

    Args:
      lhs: the images, by default (batch, channels, *spatial).
      rhs: the kernel, by default (channels out, channels in / groups, *spatial).
      window_strides: the step of the window along each spatial axis.
      padding: "SAME", "VALID", "SAME_LOWER", or for each spatial axis the numbers of zeros before and after it.
      lhs_dilation: the distance between neighbouring pixels, with zeros between them; by default 1.
      rhs_dilation: the same for the kernel.
      dimension_numbers: the layouts of images, kernel and result, such as `("NHWC", "HWIO", "NHWC")`.
      feature_group_count: the number of groups of channels that are convolved separately.

    Raises:
      ValueError: the shapes do not fit, or a named padding is combined with `lhs_dilation`.
    """
    spatial = int(lhs.ndim) - 2
    lhs_spec, rhs_spec, out_spec = jax.lax.conv_dimension_numbers(lhs.shape, rhs.shape, dimension_numbers)
    x, w = shapes.transpose(lhs, lhs_spec), shapes.transpose(rhs, rhs_spec)
    lhs_dilation = (1,) * spatial if lhs_dilation is None else tuple(lhs_dilation)
    rhs_dilation = (1,) * spatial if rhs_dilation is None else tuple(rhs_dilation)
    image, window = _dilated(x, lhs_dilation), _dilated(w, rhs_dilation)
    if isinstance(padding, str):
        if any(d != 1 for d in lhs_dilation):
            raise ValueError(
                f"padding {padding!r} with lhs_dilation {lhs_dilation} has no agreed meaning:"
                " give the padding as pairs, [(before, after), ...], one for each spatial axis."
            )
        padding = jax.lax.padtype_to_pads(image, window, window_strides, padding)
    pads = tuple((int(lo), int(hi)) for lo, hi in padding)
    for length, size, stride in zip(image + np.sum(pads, 1), window, window_strides, strict=True):
        _count(length, size, stride)
    y = _convolve(x, w, tuple(window_strides), pads, lhs_dilation, rhs_dilation, feature_group_count)
    return shapes.transpose(y, np.argsort(out_spec).tolist())


def _convolve_rule_x(
    g: Any, y: Any, x: Any, w: Any, strides: Any, pads: Pads, x_dilation: Any, w_dilation: Any, groups: int
) -> Any:
    image, window, out = _dilated(x, x_dilation), _dilated(w, w_dilation), _dilated(g, strides)
    before = window - 1 - np.array(pads)[:, 0]
    after = image - 1 + window - out - before
    flipped = shapes.flip(_swap_channels(w, groups), tuple(range(2, w.ndim)))
    return _convolve(g, flipped, x_dilation, tuple(zip(before, after, strict=True)), strides, w_dilation, groups)


def _convolve_rule_w(
    g: Any, y: Any, x: Any, w: Any, strides: Any, pads: Pads, x_dilation: Any, w_dilation: Any, groups: int
) -> Any:
    image, window, out = _dilated(x, x_dilation), _dilated(w, w_dilation), _dilated(g, strides)
    before = np.array(pads)[:, 0]
    after = out - 1 + window - image - before
    images = shapes.swapaxes(_swap_channels(shapes.swapaxes(x, 0, 1), groups), 0, 1)  # (C / groups, groups * B, ...)
    kernel = shapes.swapaxes(g, 0, 1)
    y = _convolve(images, kernel, w_dilation, tuple(zip(before, after, strict=True)), x_dilation, strides, groups)
    return shapes.swapaxes(y, 0, 1)


@primitive(_convolve_rule_x, _convolve_rule_w)
def _convolve(x: Any, w: Any, strides: Any, pads: Pads, x_dilation: Any, w_dilation: Any, groups: int) -> Any:
    """Convolve x (B, C, ...) with w (O, C / groups, ...) to (B, O, ...)."""
    return jax.lax.conv_general_dilated(x, w, strides, pads, x_dilation, w_dilation, feature_group_count=groups)


def _dilated(x: Any, dilation: Sequence[int]) -> np.ndarray:
    """Return the lengths of the spatial axes after `dilation - 1` zeros are inserted between neighbours."""
    return np.maximum((np.array(x.shape[2:]) - 1) * dilation + 1, 0)


def _swap_channels(w: Any, groups: int) -> Any:
    """Map (groups * A, B, ...) to (groups * B, A, ...)."""
    a, b = w.shape[0] // groups, w.shape[1]
    grouped = shapes.reshape(w, (groups, a, b, *w.shape[2:]))
    return shapes.reshape(shapes.swapaxes(grouped, 1, 2), (groups * b, a, *w.shape[2:]))


def max_pool(
    inputs: Any, window_shape: Sequence[int], strides: Sequence[int] | None = None, padding: Any = "VALID"
) -> Any:
    """Return the maximum of each window, as `flax.linen.max_pool`; the first of equal numbers gets the gradient.

    Args:
      inputs: images (..., *spatial, channels).
      window_shape: the lengths of the window along the spatial axes. For a whole axis, `ops.max` is faster.
      strides: the step of the window along each spatial axis, by default 1.
      padding: "SAME", "VALID", or for each spatial axis the (before, after) numbers of positions added.

    Raises:
      ValueError: the window does not fit, or has more axes than `inputs` has spatial axes.
    """
    return _pool(_larger, -np.inf, inputs, window_shape, strides, padding)


def avg_pool(
    inputs: Any,
    window_shape: Sequence[int],
    strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of each window, as `flax.linen.avg_pool`; arguments and errors are those of `max_pool`.

    Padding counts as zeros, or with `count_include_pad=False` not at all.
    """
    total = _pool(operator.add, 0, inputs, window_shape, strides, padding)
    if count_include_pad:
        return total / math.prod(window_shape)
    return total / _pool(operator.add, 0, jnp.ones(inputs.shape, inputs.dtype), window_shape, strides, padding)


def _pool(
    combine: Any, fill: float, x: Any, window_shape: Sequence[int], strides: Sequence[int] | None, padding: Any
) -> Any:
    """Combine the numbers of each window along one axis after the other, with k + k slices of `x` instead of k * k."""
    first = x.ndim - 1 - len(window_shape)
    if first < 0:
        raise ValueError(
            f"a window {tuple(window_shape)} needs inputs (..., *spatial, channels), but they are {x.shape}."
        )
    strides = (1,) * len(window_shape) if strides is None else strides
    if isinstance(padding, str):
        padding = jax.lax.padtype_to_pads(x.shape[first:-1], window_shape, strides, padding)
    per_axis = list(zip(window_shape, strides, padding, strict=True))
    for i in reversed(range(len(per_axis))):  # Rows last: the first of equal numbers in row-major order is chosen.
        window, stride, (lo, hi) = per_axis[i]
        axis = first + i
        x = _spread(x, axis, lo, lo + x.shape[axis] + hi, 1, fill) if lo or hi else x
        count = _count(x.shape[axis], window, stride)
        x = functools.reduce(combine, [_every(x, axis, start, count, stride) for start in range(window)])
    return x


def _count(length: int, window: int, stride: int) -> int:
    """Return the number of windows along an axis."""
    if length < window:
        raise ValueError(
            f"a window of {window} does not fit an axis that is {length} long with its padding:"
            " use a smaller window, less dilation, or padding='SAME'."
        )
    return (length - window) // stride + 1


def _larger(x: Any, y: Any) -> Any:
    """Return the larger number: `x` if they are equal, and NaN if either is NaN."""
    return where(logical_or(greater(y, x), isnan(y)), y, x)


def _every_rule(g: Any, y: Any, x: Any, axis: int, start: int, count: int, stride: int) -> Any:
    return _spread(g, axis, start, x.shape[axis], stride, 0)


@primitive(_every_rule)
def _every(x: Any, axis: int, start: int, count: int, stride: int) -> Any:
    """Return `count` numbers along `axis`, from `start` on, `stride` apart."""
    return jax.lax.slice_in_dim(x, start, start + (count - 1) * stride + 1, stride, axis)


@primitive(lambda g, y, x, axis, start, length, stride, fill: _every(g, axis, start, x.shape[axis], stride))
def _spread(x: Any, axis: int, start: int, length: int, stride: int, fill: float) -> Any:
    """Return the transpose of `_every`: `x` from `start` on, `stride` apart, in an axis of `length` with `fill`."""
    config = [(0, 0, 0)] * x.ndim
    config[axis] = (start, length - start - ((x.shape[axis] - 1) * stride + 1), stride - 1)
    return jax.lax.pad(x, jnp.asarray(fill, x.dtype), config)
