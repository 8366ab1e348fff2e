"""Comparison of an answer with the expected one, within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .serialize import Unserializable, kind_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 2**1000  # Larger Python integers are clipped to it before they are compared as floats.
# Relative and absolute difference between two right ways to compute. A Python float often was a float32 before.
TOLERANCES = {"float16": (1e-2, 1e-3), "bfloat16": (4e-2, 1e-2), "float64": (1e-7, 1e-9)}
TOLERANCES |= {name: (1e-4, 1e-5) for name in ("float", "complex", "float32", "complex64")}
TOLERANCES["complex128"] = TOLERANCES["float64"]
EXACT = 3e-5  # Relative spread within which a ratio counts as constant: a few float32 roundings.
Index = tuple[int, ...]


@dataclass(frozen=True)
class Tolerance:
    """How far a right value may be from the expected one.

    Attributes:
      rtol: relative tolerance. None takes the value for the dtypes.
      atol: absolute tolerance. None takes the value for the dtypes, and a part of the largest expected number, since
        the rounding errors of a sum grow with it.
      dtype: whether the dtype must be the expected one.
    """

    rtol: float | None = None
    atol: float | None = None
    dtype: bool = False

    def bounds(self, given: Any, expected: Any) -> np.ndarray:
        """Return how far each element may be from `expected`: float64, in the shape of `expected`."""
        # The expected dtype decides, so that bfloat16 does not loosen it. An exception: float32 is often compared with
        # NumPy's float64.
        single = name_of(expected) in ("float64", "complex128") and name_of(given) != name_of(expected)
        rtol, atol = TOLERANCES.get("float32" if single else name_of(expected), (0.0, 0.0))
        size = np.abs(as_float(expected))
        size = np.where(np.isfinite(size), size, 0.0)
        atol += 0.01 * rtol * size.max(initial=0.0)
        rtol = rtol if self.rtol is None else self.rtol
        return (atol if self.atol is None else self.atol) + rtol * size


def same(given: Any, expected: Any, tolerance: Tolerance | None = None) -> bool:
    """Return whether `given` is a right answer. Both values are plain (see `serialize.to_plain`).

    Numbers must agree in shape and kind (bool, int, float, complex), and in value within the tolerance. A Python number
    is an array with no axes. NaN equals NaN only, and infinity the same infinity. A list equals a tuple with the same
    elements. Other values are compared with `==`.
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
    return type(given) is type(expected) and not isinstance(given, Unserializable) and given == expected


def _same_numbers(given: Any, expected: Any, tolerance: Tolerance) -> bool:
    if kind_of(given) != kind_of(expected) or np.shape(given) != np.shape(expected):
        return False
    if tolerance.dtype and name_of(given) != name_of(expected):
        return False
    return not differing(given, expected, tolerance).any()


def differing(given: Any, expected: Any, tolerance: Tolerance) -> np.ndarray:
    """Return which elements of two plain numbers of one shape differ by more than the tolerance: bool, same shape."""
    if kind_of(expected) in ("bool", "int"):
        return np.asarray(np.asarray(given, object) != np.asarray(expected, object), bool)
    bounds = tolerance.bounds(given, expected)
    given, expected = as_float(given), as_float(expected)
    if "complex" in (given.dtype.name[:7], expected.dtype.name[:7]):
        parts = (differing_floats(part(given), part(expected), bounds) for part in (np.real, np.imag))
        return np.logical_or(*parts)
    return differing_floats(given, expected, bounds)


def differing_floats(given: np.ndarray, expected: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return which elements of two float64 arrays differ by more than `bounds`: bool, same shape."""
    with np.errstate(all="ignore"):
        close = np.isfinite(given) & np.isfinite(expected) & (np.abs(given - expected) <= bounds)
        return ~(close | (given == expected) | (np.isnan(given) & np.isnan(expected)))


def as_float(number: Any) -> np.ndarray:
    """Convert any plain number to float64, or to complex128, so that arithmetic neither wraps nor rounds."""
    if isinstance(number, int):
        number = min(max(number, -LARGEST), LARGEST)
    return np.asarray(number, np.complex128 if kind_of(number) == "complex" else np.float64)


@dataclass(frozen=True)
class Comparison:
    """A wrong answer and the right one: plain numbers of one shape.

    `inputs` holds the inputs of the student's function by name. `reveal` says whether a message may contain expected
    numbers.
    """

    given: Any
    expected: Any
    tolerance: Tolerance
    inputs: Mapping[str, Any]
    reveal: bool

    @cached_property
    def g(self) -> np.ndarray:
        """The given answer as float64 or complex128."""
        return as_float(self.given)

    @cached_property
    def e(self) -> np.ndarray:
        """The expected answer as float64 or complex128."""
        return as_float(self.expected)

    @cached_property
    def wrong(self) -> np.ndarray:
        """The wrong elements: bool, in the shape of the answer."""
        return differing(self.given, self.expected, self.tolerance)

    def agrees(self, expected: np.ndarray) -> bool:
        """Return whether the answer would be right if this were expected."""
        bounds = np.maximum(self.tolerance.bounds(self.given, expected), 0.0)
        with np.errstate(all="ignore"):
            close = np.abs(self.g - expected) <= bounds
            return bool(np.all(close | (self.g == expected) | (np.isnan(self.g) & np.isnan(expected))))

    def at(self, index: Index) -> str:
        """Describe an element, as in `at [0, 2]: 0.5 instead of 0.25`."""
        place = f"at {list(index)}: " if index else ""
        numbers = number(self.g[index]) + (f" instead of {number(self.e[index])}" if self.reveal else "")
        return place + numbers

    def first(self, places: np.ndarray) -> Index:
        """Return the index of the first True in an array of bools."""
        return tuple(int(i) for i in np.argwhere(places)[0])


def number(x: Any) -> str:
    """Format a number with four significant digits, and an integer with all its digits."""
    if isinstance(x, complex | np.complexfloating):
        return f"{x:.4g}"
    return str(int(x)) if np.isfinite(x) and x == int(x) and abs(x) < 1e15 else f"{x:.4g}"


def near(a: float, b: float) -> bool:
    """Return whether two numbers differ by float32 rounding only."""
    return abs(a - b) <= EXACT * abs(b)


def is_complex(c: Comparison) -> bool:
    """Return whether the given answer is complex."""
    return "complex" in c.g.dtype.name
