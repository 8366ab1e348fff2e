"""Quantization schemes: how the numbers of a matrix become integer codes with shared scales.

    x  is approximated by  scale * (code - zero)        codes of b bits, from -2^(b-1) to 2^(b-1) - 1

A symmetric scheme has no zero point. The error of a number that the codes cover is at most half a scale, so smaller
groups, which have smaller scales, lose less. NF4 replaces evenly spaced codes by 16 levels that are dense near 0, where
most weights are; its largest error, between the two lowest levels, is 0.152 scales. A scale is at least 2^-126: what is
smaller may become 0.

Axes: R rows (outputs, or tokens of an embedding), I inputs, G groups in a row, g numbers in a group.

Sources: Jacob et al., arXiv 1712.05877 (scale and zero point); Dettmers et al., arXiv 2305.14314 (NF4).
"""

from __future__ import annotations

import dataclasses
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._numbers import normalize, whole

if TYPE_CHECKING:
    from .._types import Array

GROUPS = (32, 64, 128)
RANGES = ("absmax", "percentile", "mse")
SMALLEST = 2.0**-126  # scale: processors may round numbers below it to 0.
LARGEST = 2.0**126  # range of a matrix: the reciprocal of a larger scale could be rounded to 0, too.
CLIP_RATIOS = np.linspace(1.0, 0.4, 31)  # Fractions of the full range that "mse" tries.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scheme:
    """The settings by which a matrix (R, I) is quantized.

    Args:
      bits: 8 or 4.
      group: what shares a scale: the whole "tensor", a row ("channel"), or 32, 64 or 128 consecutive numbers of a row.
      symmetric: without a zero point; the codes reach equally far below and above 0.
      range: the codes cover all numbers ("absmax"), all but outliers ("percentile"), or with the least error ("mse").
      outliers: the share of outliers for "percentile".
      levels: "even", or "nf4" for the quantiles of a normal distribution.
      dynamic: also quantize activations, to 8 bits with a scale per token, and multiply integers.

    Raises:
      ValueError: the settings do not fit together.
    """

    bits: int = 8
    group: int | str = "channel"
    symmetric: bool = True
    range: str = "absmax"
    outliers: float = 0.001
    levels: str = "even"
    dynamic: bool = False

    def __post_init__(self) -> None:
        if problem := "; ".join(normalize(self)) or self._problem():
            raise ValueError(f"this scheme is not possible: {problem}.")

    def _problem(self) -> str | None:
        object.__setattr__(self, "group", self.group if (group := whole(self.group)) is None else group)
        if self.bits not in (4, 8):
            return f"bits are 4 or 8, and not {self.bits!r}"
        if self.group not in ("tensor", "channel", *GROUPS):
            return f"group is 'tensor', 'channel', {', '.join(map(str, GROUPS))}, and not {self.group!r}"
        if self.range not in RANGES:
            return f"range is one of {', '.join(RANGES)}, and not {self.range!r}"
        if not 0 < self.outliers < 0.5:
            return f"outliers is a share between 0 and 0.5, such as 0.001, and not {self.outliers!r}"
        if self.levels not in ("even", "nf4"):
            return f"levels are 'even' or 'nf4', and not {self.levels!r}"
        if self.levels == "nf4" and (self.bits, self.symmetric) != (4, True):
            return "NF4 is symmetric and has 4 bits: write Scheme(bits=4, levels='nf4', group=64)"
        if self.dynamic and (self.bits, self.symmetric, self.group in GROUPS) != (8, True, False):
            return "dynamic activations need symmetric codes of 8 bits and one scale per row or tensor"
        return None

    @property
    def lowest(self) -> int:
        """The smallest code."""
        return -(2 ** (self.bits - 1)) + (self.symmetric and self.levels == "even")

    @property
    def highest(self) -> int:
        """The largest code."""
        return 2 ** (self.bits - 1) - 1


class Quantized(NamedTuple):
    """The codes of a matrix, with the scales and zero points that dequantize them."""

    codes: Array  # int8 (R, I)
    scale: Array  # bfloat16 (R, G), (R, 1) or (1, 1): with the exponents of float32 no scale over- or underflows
    zero: Array | None  # int8, shaped like `scale`


def nf4_levels() -> np.ndarray:
    """Return the 16 levels of NF4, float32, from -1 to 1: quantiles of a normal distribution, including 0."""
    inner = 1 - (1 / 32 + 1 / 30) / 2
    ppf = np.vectorize(NormalDist().inv_cdf)
    negative, positive = -ppf(np.linspace(inner, 0.5, 8)[:-1]), ppf(np.linspace(inner, 0.5, 9)[:-1])
    return (np.sort(np.concatenate([negative, [0.0], positive])) / positive[0]).astype(np.float32)


NF4_LEVELS = nf4_levels()


def quantize_matrix(x: Any, scheme: Scheme) -> Quantized:
    """Quantize a matrix (R, I). An all-zero group gets codes that dequantize to zeros.

    Raises:
      ValueError: `x` is not a matrix, holds NaN, infinity or a range beyond `LARGEST`, or the groups do not divide I.
    """
    check_matrix(x, scheme)
    return quantize_unchecked(jnp.asarray(x, jnp.float32), scheme)


def dequantize(quantized: Quantized, scheme: Scheme) -> Array:
    """Return the numbers that the codes represent: float32 (R, I)."""
    codes, scale, zero = quantized
    grouped = codes.reshape(*scale.shape, -1)  # (R, G, g)
    return (minus_zero_point(grouped, zero, scheme) * scale[..., None].astype(jnp.float32)).reshape(codes.shape)


def minus_zero_point(codes: Array, zero: Array | None, scheme: Scheme) -> Array:
    """Return the unscaled numbers that codes (..., G, g) represent: float32."""
    levels = lookup_levels(codes, scheme)
    return levels if zero is None else levels - zero[..., None].astype(jnp.float32)


def lookup_levels(codes: Array, scheme: Scheme) -> Array:
    """Return the level of each code as float32: the code itself, or its entry in NF4's table."""
    if scheme.levels == "nf4":
        return jnp.asarray(NF4_LEVELS).at[codes.astype(jnp.int32) + 8].get(mode="promise_in_bounds")
    return codes.astype(jnp.float32)


def check_matrix(x: Any, scheme: Scheme) -> None:
    """Raise ValueError if `quantize_matrix` cannot quantize `x`."""
    shape = np.shape(x)
    if len(shape) != 2 or not np.size(x):
        raise ValueError(f"only a matrix can be quantized, and not an array of shape {shape}.")
    if isinstance(scheme.group, int) and shape[1] % scheme.group:
        fitting = [str(group) for group in GROUPS if shape[1] % group == 0]
        raise ValueError(
            f"groups of {scheme.group} do not divide a width of {shape[1]}: use"
            f" {'groups of ' + ' or '.join(fitting) if fitting else chr(39) + 'channel' + chr(39)} instead."
        )
    if scheme.bits == 4 and shape[1] % 2:
        raise ValueError(f"two codes of 4 bits share a byte, so a width of {shape[1]}, which is odd, needs 8 bits.")
    with np.errstate(over="ignore"):
        numbers = np.asarray(x, np.float32)
        low, high = min(numbers.min(), 0), max(numbers.max(), 0)
        width = max(-low, high) if scheme.symmetric else high - low
    if bad := int(np.sum(~np.isfinite(numbers))):
        raise ValueError(
            f"{bad} of {numbers.size} numbers are NaN or infinite, and have no code: find out where training diverged,"
            " and take an earlier checkpoint."
        )
    if width > LARGEST:
        raise ValueError(f"numbers from {low:.3g} to {high:.3g} span more than {LARGEST:.2g}: look for wrong values.")


def group_shape(shape: tuple[int, ...], scheme: Scheme) -> tuple[int, int, int]:
    """Return the shape in which the numbers that share a scale lie along the last axis."""
    rows, inputs = shape
    if scheme.group == "tensor":
        return (1, 1, rows * inputs)
    group = inputs if isinstance(scheme.group, str) else scheme.group
    return (rows, inputs // group, group)


def quantize_unchecked(x: Array, scheme: Scheme) -> Quantized:
    """Quantize a matrix (R, I) inside `jax.jit`: like `quantize_matrix`, without its checks."""
    groups = x.astype(jnp.float32).reshape(group_shape(x.shape, scheme))  # (R, G, g)
    scale, zero = scales(*_range(groups, scheme), scheme)
    return Quantized(nearest_codes(groups, scale, zero, scheme).reshape(x.shape), scale, zero)


def scales(low: Array, high: Array, scheme: Scheme) -> tuple[Array, Array | None]:
    """Return the scale (and zero point) with which codes cover the numbers from `low` to `high`."""
    if scheme.symmetric:
        steps = 1 if scheme.levels == "nf4" else scheme.highest
        scale = (jnp.maximum(-low, high) / steps).astype(jnp.bfloat16)
        return jnp.maximum(scale, SMALLEST), None
    low, high = jnp.minimum(low, 0), jnp.maximum(high, 0)  # 0 must have a code of its own.
    scale = _round_up((high - low) / (scheme.highest - scheme.lowest))  # Rounded down, codes would miss the ends.
    scale = jnp.maximum(scale, SMALLEST)
    zero = jnp.round(scheme.lowest - low / scale.astype(jnp.float32))
    return scale, jnp.clip(zero, scheme.lowest, scheme.highest).astype(jnp.int8)


def _round_up(x: Array) -> Array:
    """Return the smallest bfloat16 that is at least `x`, float32 from 0 up: its upper 16 bits, or those that follow."""
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    return jax.lax.bitcast_convert_type(((bits + 0xFFFF) >> 16).astype(jnp.uint16), jnp.bfloat16)


def nearest_codes(x: Array, scale: Array, zero: Array | None, scheme: Scheme) -> Array:
    """Return the nearest codes, int8, of numbers (..., g) that share a scale (...)."""
    x = x / scale[..., None].astype(jnp.float32)
    if scheme.levels == "nf4":
        return (jnp.searchsorted(jnp.asarray((NF4_LEVELS[1:] + NF4_LEVELS[:-1]) / 2), x) - 8).astype(jnp.int8)
    x = jnp.round(x) + (0 if zero is None else zero[..., None].astype(jnp.float32))
    return jnp.clip(x, scheme.lowest, scheme.highest).astype(jnp.int8)


def _range(x: Array, scheme: Scheme) -> tuple[Array, Array]:
    """Return the smallest and largest number of each group (..., g) that the codes cover: (...) each."""
    if scheme.range == "percentile":
        if scheme.symmetric:
            high = jnp.quantile(jnp.abs(x), 1 - scheme.outliers, axis=-1)
            return -high, high
        low, high = jnp.quantile(x, jnp.array([scheme.outliers / 2, 1 - scheme.outliers / 2]), axis=-1)
        return low, high
    low, high = x.min(axis=-1), x.max(axis=-1)
    if scheme.range == "absmax":
        return low, high

    def error(ratio: Array) -> Array:
        scale, zero = scales(ratio * low, ratio * high, scheme)
        codes = nearest_codes(x, scale, zero, scheme)
        return jnp.sum((minus_zero_point(codes, zero, scheme) * scale[..., None].astype(jnp.float32) - x) ** 2, axis=-1)

    ratios = jnp.asarray(CLIP_RATIOS, jnp.float32)
    best = ratios[jax.lax.map(error, ratios).argmin(axis=0)]  # errors (ratios, ...) -> best ratio (...)
    return best * low, best * high
