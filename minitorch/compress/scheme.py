"""How is a number kept in few bits? It becomes a whole number, its code, and shares a scale with its neighbours.

    x  is about  scale * (code - zero)        codes of b bits, from -2^(b-1) to 2^(b-1) - 1

A symmetric scheme has no zero point. Rounding errs by half a scale at most, so what matters is how large the scale is:
it follows from the largest number that shares it, and smaller groups err less. NF4 has 16 uneven levels instead of
codes at equal distances, dense where weights are many.

Axes: R rows (outputs, or tokens of a table), I inputs, G groups of a row, g numbers in a group.

Sources: Jacob et al., arXiv 1712.05877 (scale and zero point); Dettmers et al., arXiv 2305.14314 (NF4).
"""

from __future__ import annotations

import dataclasses
from statistics import NormalDist
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array
GROUPS = (32, 64, 128)
RANGES = ("absmax", "percentile", "mse")
SHRINKS = np.linspace(1.0, 0.4, 31)  # of the whole range, from which "mse" chooses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scheme:
    """How a matrix (R, I) is rounded.

    Args:
      bits: 8 or 4.
      group: who shares a scale: "tensor" all, "channel" a row, or so many neighbours in a row: 32, 64 or 128.
      symmetric: no zero point; the codes are as many below 0 as above.
      range: which numbers fit: "absmax" all, "percentile" all but the `outliers` farthest out, "mse" those that make
        the squared error least.
      outliers: their share.
      levels: "even", or "nf4": the quantiles of a normal distribution.
      dynamic: activations are rounded to 8 bits too, each token by its own largest, and products are of whole numbers.

    Raises:
      ValueError: what does not fit together, and what to write instead.
    """

    bits: int = 8
    group: int | str = "channel"
    symmetric: bool = True
    range: str = "absmax"
    outliers: float = 0.001
    levels: str = "even"
    dynamic: bool = False

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise ValueError(f"this scheme is not possible: {problem}.")

    def _problem(self) -> str | None:
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
            return "NF4 is symmetric and of 4 bits: write Scheme(bits=4, levels='nf4', group=64)"
        if self.dynamic and (self.bits, self.symmetric, self.group in GROUPS) != (8, True, False):
            return "dynamic activations go with symmetric codes of 8 bits and one scale a row or tensor"
        return None

    @property
    def lowest(self) -> int:
        """The least code."""
        return -(2 ** (self.bits - 1)) + (self.symmetric and self.levels == "even")

    @property
    def highest(self) -> int:
        """The greatest code."""
        return 2 ** (self.bits - 1) - 1


class Rounded(NamedTuple):
    """A matrix as codes, with what turns them into numbers again."""

    codes: Array  # int8 (R, I)
    scale: Array  # bfloat16 (R, G), (R, 1) or (1, 1): the exponents of float32, so that no scale is too small or large
    zero: Array | None  # int8, as the scale


def nf4_levels() -> np.ndarray:
    """The 16 levels of NF4, float32, from -1 to 1: quantiles of a normal distribution, with 0 among them."""
    inner = 1 - (1 / 32 + 1 / 30) / 2
    ppf = np.vectorize(NormalDist().inv_cdf)
    negative, positive = -ppf(np.linspace(inner, 0.5, 8)[:-1]), ppf(np.linspace(inner, 0.5, 9)[:-1])
    return (np.sort(np.concatenate([negative, [0.0], positive])) / positive[0]).astype(np.float32)


NF4 = nf4_levels()


def encode(x: Any, scheme: Scheme) -> Rounded:
    """Round a matrix (R, I). Of numbers that are all 0, all codes mean 0.

    Raises:
      ValueError: `x` is no matrix, holds a NaN or an infinity, or the groups do not divide I.
    """
    check(x, scheme)
    return encode_unchecked(jnp.asarray(x, jnp.float32), scheme)


def decode(rounded: Rounded, scheme: Scheme) -> Array:
    """What the codes stand for: float32 (R, I)."""
    codes, scale, zero = rounded
    grouped = codes.reshape(*scale.shape, -1)
    return (centred(grouped, zero, scheme) * scale[..., None].astype(jnp.float32)).reshape(codes.shape)


def centred(codes: Array, zero: Array | None, scheme: Scheme) -> Array:
    """The numbers that codes (..., G, g) stand for, before they are scaled: float32."""
    numbers = levels(codes, scheme)
    return numbers if zero is None else numbers - zero[..., None].astype(jnp.float32)


def levels(codes: Array, scheme: Scheme) -> Array:
    """The level of each code: the code itself, or what NF4 has for it, as float32."""
    if scheme.levels == "nf4":
        return jnp.asarray(NF4).at[codes.astype(jnp.int32) + 8].get(mode="promise_in_bounds")
    return codes.astype(jnp.float32)


def check(x: Any, scheme: Scheme) -> None:
    """Raise ValueError if `encode` must refuse `x`."""
    if x.ndim != 2 or not x.size:
        raise ValueError(f"only a matrix can be rounded, and not an array of shape {tuple(x.shape)}.")
    if isinstance(scheme.group, int) and x.shape[1] % scheme.group:
        fitting = [str(group) for group in GROUPS if x.shape[1] % group == 0]
        raise ValueError(
            f"groups of {scheme.group} do not divide a width of {x.shape[1]}: use"
            f" {'groups of ' + ' or '.join(fitting) if fitting else chr(39) + 'channel' + chr(39)} instead."
        )
    if scheme.bits == 4 and x.shape[1] % 2:
        raise ValueError(f"two codes of 4 bits share a byte, so a width of {x.shape[1]}, which is odd, needs 8 bits.")
    if bad := int(np.sum(~np.isfinite(np.asarray(x, np.float32)))):
        raise ValueError(
            f"{bad} of {x.size} numbers are NaN or infinite, and have no code: find out where training diverged, and"
            " take an earlier checkpoint."
        )
    with np.errstate(over="ignore"):
        if not scheme.symmetric and not np.isfinite(np.ptp(np.asarray(x, np.float32))):
            raise ValueError("the numbers lie further apart than float32 reaches: look for those that do not belong.")


def group_shape(shape: tuple[int, ...], scheme: Scheme) -> tuple[int, int, int]:
    """The shape in which all that share a scale lie along the last axis."""
    rows, inputs = shape
    if scheme.group == "tensor":
        return (1, 1, rows * inputs)
    group = inputs if isinstance(scheme.group, str) else scheme.group
    return (rows, inputs // group, group)


def encode_unchecked(x: Array, scheme: Scheme) -> Rounded:
    groups = x.reshape(group_shape(x.shape, scheme))
    scale, zero = scales(*_range(groups, scheme), scheme)
    return Rounded(to_codes(groups, scale, zero, scheme).reshape(x.shape), scale, zero)


def scales(low: Array, high: Array, scheme: Scheme) -> tuple[Array, Array | None]:
    """The scale (and zero point) with which the numbers from `low` to `high` have codes."""
    if scheme.symmetric:
        steps = 1 if scheme.levels == "nf4" else scheme.highest
        scale = (jnp.maximum(-low, high) / steps).astype(jnp.bfloat16)
        return jnp.where(scale > 0, scale, 1), None
    low, high = jnp.minimum(low, 0), jnp.maximum(high, 0)  # So that 0 has a code of its own.
    scale = ((high - low) / (scheme.highest - scheme.lowest)).astype(jnp.bfloat16)
    scale = jnp.where(scale > 0, scale, 1)
    zero = jnp.round(scheme.lowest - low / scale.astype(jnp.float32))
    return scale, jnp.clip(zero, scheme.lowest, scheme.highest).astype(jnp.int8)


def to_codes(x: Array, scale: Array, zero: Array | None, scheme: Scheme) -> Array:
    """The nearest codes, int8, of numbers (..., g) that share a scale (...)."""
    x = x / scale[..., None].astype(jnp.float32)
    if scheme.levels == "nf4":
        return (jnp.searchsorted(jnp.asarray((NF4[1:] + NF4[:-1]) / 2), x) - 8).astype(jnp.int8)
    x = jnp.round(x) + (0 if zero is None else zero[..., None].astype(jnp.float32))
    return jnp.clip(x, scheme.lowest, scheme.highest).astype(jnp.int8)


def _range(x: Array, scheme: Scheme) -> tuple[Array, Array]:
    """The least and greatest number of each group (..., g) that shall have a code of their own: (...) each."""
    if scheme.range == "percentile":
        if scheme.symmetric:
            high = jnp.quantile(jnp.abs(x), 1 - scheme.outliers, axis=-1)
            return -high, high
        low, high = jnp.quantile(x, jnp.array([scheme.outliers / 2, 1 - scheme.outliers / 2]), axis=-1)
        return low, high
    low, high = x.min(axis=-1), x.max(axis=-1)
    if scheme.range == "absmax":
        return low, high

    def error(shrink: Array) -> Array:
        scale, zero = scales(shrink * low, shrink * high, scheme)
        codes = to_codes(x, scale, zero, scheme)
        return jnp.sum((centred(codes, zero, scheme) * scale[..., None].astype(jnp.float32) - x) ** 2, axis=-1)

    errors = jax.lax.map(error, jnp.asarray(SHRINKS, jnp.float32))  # (shrinks, ...)
    best = jnp.asarray(SHRINKS, jnp.float32)[errors.argmin(axis=0)]
    return best * low, best * high
