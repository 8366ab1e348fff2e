"""Is an answer right? And what the recognisers of mistakes look at if it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .serialize import Unreadable, kind_of, name_of

LARGEST = 2**1000  # Integers of Python beyond it count as this much where floats are compared.
# Relative and absolute error that two right ways of computing may differ by. A Python float often came from a float32.
TOLERANCES = {"float16": (1e-2, 1e-3), "bfloat16": (4e-2, 1e-2), "float64": (1e-7, 1e-9)}
TOLERANCES |= {name: (1e-4, 1e-5) for name in ("float", "complex", "float32", "complex64")}
TOLERANCES["complex128"] = TOLERANCES["float64"]
EXACT = 3e-5  # Relative spread within which a ratio counts as constant: some float32 roundings.
Axis = tuple[int, ...]


@dataclass(frozen=True)
class Tolerance:
    """How far a right value may be from the expected one: None takes what the dtypes allow.

    `atol` grows with the largest expected number where it is None, since rounding errors of a sum do. `dtype` demands
    exactly the expected dtype.
    """

    rtol: float | None = None
    atol: float | None = None
    dtype: bool = False

    def bounds(self, given: Any, expected: Any) -> np.ndarray:
        """How far each element may be from `expected` (finite float64 or complex numbers of any shape)."""
        # What is expected decides, so that an answer in bfloat16 is not let off. But NumPy's float64 is what float32
        # is often checked against.
        single = name_of(expected) in ("float64", "complex128") and name_of(given) != name_of(expected)
        rtol, atol = TOLERANCES.get("float32" if single else name_of(expected), (0.0, 0.0))
        size = np.abs(as_float(expected))
        size = np.where(np.isfinite(size), size, 0.0)
        atol += 0.01 * rtol * size.max(initial=0.0)
        rtol = rtol if self.rtol is None else self.rtol
        return (atol if self.atol is None else self.atol) + rtol * size


def same(given: Any, expected: Any, tolerance: Tolerance | None = None) -> bool:
    """Is `given` a right answer? Both plain.

    Numbers agree within the tolerance, in shape and in kind (bool, int, float, complex); a Python number is an array of
    no axes; NaN equals only NaN and infinity the same infinity. A list equals a tuple. All else is equal or not.
    """
    tolerance = tolerance or Tolerance()
    if kind_of(expected):
        return _same_numbers(given, expected, tolerance)
    if isinstance(expected, list | tuple):
        return (
            isinstance(given, list | tuple)
            and len(given) == len(expected)
            and all(same(g, e, tolerance) for g, e in zip(given, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(given, dict)
            and given.keys() == expected.keys()
            and all(same(given[key], e, tolerance) for key, e in expected.items())
        )
    return type(given) is type(expected) and not isinstance(given, Unreadable) and given == expected


def _same_numbers(given: Any, expected: Any, tolerance: Tolerance) -> bool:
    if kind_of(given) != kind_of(expected) or np.shape(given) != np.shape(expected):
        return False
    if tolerance.dtype and name_of(given) != name_of(expected):
        return False
    return not differing(given, expected, tolerance).any()


def differing(given: Any, expected: Any, tolerance: Tolerance) -> np.ndarray:
    """Which elements of two plain numbers of one shape differ by more than the tolerance: an array of bools."""
    if kind_of(expected) in ("bool", "int"):
        return np.asarray(np.asarray(given, object) != np.asarray(expected, object), bool)
    bounds = tolerance.bounds(given, expected)
    given, expected = as_float(given), as_float(expected)
    if "complex" in (given.dtype.name[:7], expected.dtype.name[:7]):
        parts = (differing_floats(part(given), part(expected), bounds) for part in (np.real, np.imag))
        return np.logical_or(*parts)
    return differing_floats(given, expected, bounds)


def differing_floats(given: np.ndarray, expected: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        close = np.isfinite(given) & np.isfinite(expected) & (np.abs(given - expected) <= bounds)
        return ~(close | (given == expected) | (np.isnan(given) & np.isnan(expected)))


def as_float(number: Any) -> np.ndarray:
    """Any plain number as float64, or complex128: arithmetic on it neither wraps nor rounds to bfloat16."""
    if isinstance(number, int):
        number = min(max(number, -LARGEST), LARGEST)
    return np.asarray(number, np.complex128 if kind_of(number) == "complex" else np.float64)


@dataclass(frozen=True)
class Comparison:
    """A wrong answer beside the right one: plain numbers of one shape. `inputs` holds the function's inputs by name,
    and `reveal` says whether the message may hold expected numbers."""

    given: Any
    expected: Any
    tolerance: Tolerance
    inputs: Mapping[str, Any]
    reveal: bool

    @cached_property
    def g(self) -> np.ndarray:
        return as_float(self.given)

    @cached_property
    def e(self) -> np.ndarray:
        return as_float(self.expected)

    @cached_property
    def wrong(self) -> np.ndarray:
        return differing(self.given, self.expected, self.tolerance)

    def agrees(self, expected: np.ndarray) -> bool:
        """Would the answer be right if this were expected?"""
        bounds = np.maximum(self.tolerance.bounds(self.given, expected), 0.0)
        with np.errstate(all="ignore"):
            close = np.abs(self.g - expected) <= bounds
            return bool(np.all(close | (self.g == expected) | (np.isnan(self.g) & np.isnan(expected))))

    def at(self, index: Axis) -> str:
        """`at [0, 2]: 0.5 instead of 0.25`."""
        place = f"at {list(index)}: " if index else ""
        numbers = number(self.g[index]) + (f" instead of {number(self.e[index])}" if self.reveal else "")
        return place + numbers

    def first(self, places: np.ndarray) -> Axis:
        return tuple(int(i) for i in np.argwhere(places)[0])


def number(x: Any) -> str:
    """Four significant digits, and no rounding of whole numbers."""
    if isinstance(x, complex | np.complexfloating):
        return f"{x:.4g}"
    return str(int(x)) if np.isfinite(x) and x == int(x) and abs(x) < 1e15 else f"{x:.4g}"


def near(a: float, b: float) -> bool:
    return abs(a - b) <= EXACT * abs(b)


def is_complex(c: Comparison) -> bool:
    return "complex" in c.g.dtype.name
