"""A wrong answer beside the right one: what the recognisers of mistakes look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .values import Tolerance, as_float, differing

EXACT = 3e-5  # Relative spread within which a ratio counts as constant: some float32 roundings.
Axis = tuple[int, ...]


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
