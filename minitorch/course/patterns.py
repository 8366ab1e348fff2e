"""Wrong numbers in an array of the right shape: which simple mistake makes exactly these?

A list of recognisers, from the plainest to the most particular. Each looks at a `Comparison` and gives a sentence or
None; the first that recognises the answer speaks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .values import Tolerance, as_float, differing, kind_of, same

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


def explain_numbers(comparison: Comparison) -> str:
    """One or two sentences on why these numbers are not the expected ones."""
    if kind_of(comparison.expected) == "bool":
        return _truth_values(comparison)
    with np.errstate(all="ignore"):
        return next(filter(None, (recognise(comparison) for recognise in RECOGNISERS)))


def _truth_values(c: Comparison) -> str:
    if c.wrong.all():
        return "The answer is the opposite of what is expected everywhere: is the condition the wrong way round?"
    if c.g.ndim == 2 and c.g.shape[0] == c.g.shape[1] and np.array_equal(c.g, c.e.T):
        return "The mask is transposed: rows and columns changed places."
    return f"{_where(c) or _some(c)} the truth value is wrong."


def unexpected_nonfinite(c: Comparison) -> str | None:
    for bad, name, cause in (
        (
            np.isnan(c.g) & ~np.isnan(c.e),
            "NaN",
            "inf/inf or inf - inf (after an overflow: exp of a large number?), 0/0, or log or sqrt of a negative one",
        ),
        (
            np.isinf(c.g) & np.isfinite(c.e),
            "infinity",
            "an overflow (exp of a large number?), a division by 0, or log 0",
        ),
    ):
        if bad.any():
            place = f" at {list(c.first(bad))}" if c.g.ndim else ""
            return f"The result holds {name}{place}, where a finite number is expected. It comes from {cause}."
    missing = c.wrong & ~np.isfinite(c.e)
    if missing.any():
        place = f" at {list(c.first(missing))}" if c.g.ndim else ""
        shown = f", where {number(c.e[c.first(missing)])} is expected" if c.reveal else ", which is not right there"
        return f"The result is {number(c.g[c.first(missing)])}{place}{shown}."
    return None


def same_as_input(c: Comparison) -> str | None:
    for name, value in c.inputs.items():
        if np.shape(value) == c.g.shape and kind_of(value) and same(as_float(c.given), as_float(value)):
            return f"The result is {name} itself, unchanged: is what was computed returned?"
    return None


def all_equal(c: Comparison) -> str | None:
    if c.g.size < 2 or np.any(c.g != c.g.flat[0]) or np.all(c.e == c.e.flat[0]):
        return None
    if c.g.flat[0] == 0:
        return "All numbers of the result are 0: was an array of zeros made and never filled?"
    return f"All numbers of the result are {number(c.g.flat[0])}: does it depend on the input?"


def zero(c: Comparison) -> str | None:
    return "The result is 0: does anything get added to it?" if c.g.size == 1 and not c.g.any() else None


def off_by_one(c: Comparison) -> str | None:
    if c.g.size > 1 or kind_of(c.expected) != "int" or abs((c.g - c.e).item()) != 1:
        return None
    return f"The result is one too {'large' if c.g.item() > c.e.item() else 'small'}: look for an off-by-one."


def constant_factor(c: Comparison) -> str | None:
    factor = _ratio(c.g, c.e)
    if factor is None:
        return None
    if reason := _factor_reason(factor, c.g.shape):
        return reason
    if c.g.size == 1:
        return None
    shown = f"{number(factor)} times what it should be" if c.reveal else "off by one constant factor"
    return f"Every number is {shown}: is a factor or a division missing?"


def _ratio(given: np.ndarray, expected: np.ndarray) -> float | None:
    """The constant c of given = c * expected; None if there is none, or too little to tell."""
    given, expected = given.ravel(), expected.ravel()
    if "complex" in given.dtype.name or not np.any(expected):
        return None
    factor = float(given @ expected / (expected @ expected))
    spread = np.abs(given - factor * expected).max()
    return factor if factor and spread <= EXACT * np.abs(given).max() else None


def _factor_reason(factor: float, shape: tuple[int, ...]) -> str | None:
    """What a factor that tells its origin means."""
    if _near(factor, -1):
        return "The sign is wrong: every number is -1 times what it should be."
    size, way = (factor, "large") if abs(factor) > 1 else (1 / factor, "small")
    sign = " and has the wrong sign" if factor < 0 else ""
    size = abs(size)
    for value, cause in KNOWN_FACTORS.items():
        if _near(size, value):
            return f"Every number is too {way} by a factor of {cause}{sign}."
    if size > 1e6:
        return None
    whole = round(size)
    if 2 <= whole <= (4096 if shape else 64) and _near(size, whole):
        text = f"Every number is too {way} by a factor of {whole}{sign}"
        return text + _factor_cause(factor, whole, shape)
    root = round(size**2)
    if root in _sizes(shape) and _near(size**2, root):
        return f"Every number is too {way} by a factor of sqrt({root}){sign}, and {root} is the size of an axis."
    return _bessel(abs(factor)) if factor > 0 else None


def _factor_cause(factor: float, whole: int, shape: tuple[int, ...]) -> str:
    if whole == 2:
        return ": look for a 2 or a 1/2 that is missing or too many, or something added twice."
    axes = " (the size of an axis)" if whole in _sizes(shape) else ""
    if abs(factor) > 1:
        return f"{axes}: is something summed that should be averaged?"
    return f"{axes}: is something averaged that should be summed, or divided twice?"


def _bessel(factor: float) -> str | None:
    for n in range(3, 21):
        if _near(factor, n / (n - 1)) or _near(factor, (n - 1) / n):
            return f"The factor is {n} to {n - 1}: is it divided by N - 1 where N is meant, or the other way round?"
    return None


KNOWN_FACTORS = {
    math.log(2): "0.693, which is log 2: is it a logarithm of base 2 where base e is meant, or the other way round?",
    1
    / math.log(
        2
    ): "1.443, which is 1/log 2: is it a logarithm of base 2 where base e is meant, or the other way round?",
    math.log(10): "2.303, which is log 10: is it a logarithm of base 10 where base e is meant, or the other way round?",
    180 / math.pi: "57.3, which is 180/pi: degrees and radians",
}


def _sizes(shape: tuple[int, ...]) -> set[int]:
    """The sizes of axes, and of several together."""
    return {math.prod(part) for r in range(1, len(shape) + 1) for part in itertools.combinations(shape, r)}


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= EXACT * abs(b)


def constant_offset(c: Comparison) -> str | None:
    difference = c.g - c.e
    if c.g.size < 2 or not np.isfinite(difference).all() or "complex" in difference.dtype.name:
        return None
    offset = float(np.median(difference))
    if not offset or np.abs(difference - offset).max() > 10 * EXACT * (abs(offset) + np.abs(c.e).max()):
        return None
    way = "large" if offset > 0 else "small"
    shown = number(abs(offset)) if c.reveal or _near(abs(offset), round(abs(offset))) else "the same amount"
    return f"Every number is too {way} by {shown}: is something added, subtracted or left out everywhere?"


def another_order(c: Comparison) -> str | None:
    """Transposed, reversed, shifted or otherwise permuted along one axis."""
    if c.g.ndim == 2 and c.g.shape[0] == c.g.shape[1] and c.agrees(c.e.T):
        return "The numbers are right, but rows and columns changed places: it is transposed."
    if c.g.ndim > 1 and c.agrees(c.e.reshape(c.e.shape[::-1]).T):
        return "The numbers are right but in another order: was it transposed where it should be reshaped?"
    if c.g.ndim > 1 and c.agrees(c.e.T.reshape(c.e.shape)):
        return "The numbers are right but in another order: was it reshaped where it should be transposed?"
    for axis in range(c.g.ndim):
        if message := _along(c, axis):
            return message
    return None


def _along(c: Comparison, axis: int) -> str | None:
    name = "" if c.g.ndim == 1 else f" along axis {axis}"
    if c.agrees(np.flip(c.e, axis)):
        return f"The numbers are right, but in reversed order{name}."
    for shift in (1, -1):
        if c.agrees(np.roll(c.e, shift, axis)):
            return f"The numbers are right, but shifted by one place{name}: look for an off-by-one."
    for lag, step in (("late", 1), ("early", -1)):
        if c.g.shape[axis] > 2 and _shifted(c, axis, step):
            return f"The numbers come one place too {lag}{name}: look for an off-by-one."
    if c.g.shape[axis] > 1 and _permuted(c, axis):
        return f"The numbers are right, but in another order{name}."
    return None


def _shifted(c: Comparison, axis: int, step: int) -> bool:
    g, e = np.moveaxis(c.g, axis, 0), np.moveaxis(c.e, axis, 0)
    g, e = (g[1:], e[:-1]) if step > 0 else (g[:-1], e[1:])
    return len(np.unique(e)) > 1 and same(g, e, c.tolerance)


def _permuted(c: Comparison, axis: int) -> bool:
    """Are whole slices, or the numbers within each, permuted?"""
    g, e = (np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1) for x in (c.g, c.e))
    if same(np.sort(g, 0), np.sort(e, 0), c.tolerance):
        return True
    return same(g[np.lexsort(g.T)], e[np.lexsort(e.T)], c.tolerance)


INVERSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "The result is the square of what is expected: is a square root missing?": np.square,
    "The result is the square root of what is expected.": np.sqrt,
    "The result is exp of what is expected: is a logarithm missing?": np.exp,
    "The result is the logarithm of what is expected: is an exp missing?": np.log,
    "The result is 1 divided by what is expected: is a fraction upside down?": np.reciprocal,
    "The signs are lost: the result is the absolute value of what is expected.": np.abs,
    "The result is 1 minus what is expected.": lambda e: 1 - e,
    "The result is what is expected, rounded down: is there an integer division or a cast to integers?": np.floor,
    "The result is what is expected, rounded.": np.round,
}


def another_function(c: Comparison) -> str | None:
    if "complex" in c.g.dtype.name or c.agrees(np.ones_like(c.g)) or not np.any(c.g):
        return None  # Of all ones or zeros it would be chance.
    for message, function in INVERSES.items():
        if c.agrees(function(c.e)):
            return message
    return None


def factor_along_an_axis(c: Comparison) -> str | None:
    """Each row (say) is right up to a factor or a summand of its own."""
    if "complex" in c.g.dtype.name or not np.isfinite(c.g).all() or not np.isfinite(c.e).all():
        return None
    for axis in range(c.g.ndim if c.g.ndim > 1 else 0):
        g, e = (np.moveaxis(x, axis, -1) for x in (c.g, c.e))
        if g.shape[-1] < 3 or not c.wrong.any(axis).all():
            continue
        for what, rest in (("factor", g / e), ("summand", g - e)):
            spread = np.abs(rest - rest.mean(-1, keepdims=True))
            if np.all(spread <= 10 * EXACT * (np.abs(rest) + (np.abs(e) if what == "summand" else 0))):
                return (
                    f"The numbers are right up to one {what} for each {_slice(c, axis)}: is what is divided or"
                    " subtracted there computed over the right axis?"
                )
    return None


def _slice(c: Comparison, axis: int) -> str:
    return ("column", "row")[axis] if c.g.ndim == 2 else "slice"


def right_except(c: Comparison) -> str | None:
    """Wrong in a region with a name, or right only there."""
    place = _where(c)
    if place is None or c.wrong.all():
        return None
    given, expected = c.g[c.wrong], c.e[c.wrong]
    if given.size > 1 and not given.any():
        return f"{place} the result is 0, and should not be."
    factor = _ratio(given, expected) if given.size > 1 else None
    if factor and (reason := _factor_reason(factor, c.g.shape)):
        return f"{place} the result is wrong. {reason.replace('Every number', 'There, every number')}"
    return f"{place} the result is wrong, {c.at(c.first(c.wrong))}."


def _where(c: Comparison) -> str | None:
    """`Right elsewhere, but in the first row`; None where the wrong places have no pattern."""
    regions = [(name, region) for name, region in _regions(c) if region.any() and not region.all()]
    for name, region in regions:
        if not (c.wrong & ~region).any() and 2 * c.wrong.sum() > region.sum():
            return f"Right elsewhere, but {name}"
    return next((f"Right {name}, but elsewhere" for name, region in regions if (c.wrong != region).all()), None)


def _regions(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Parts of the array that a mistake may be confined to."""
    yield from _values_regions(c)
    for axis, size in enumerate(c.g.shape):
        line = np.arange(size).reshape([-1 if a == axis else 1 for a in range(c.g.ndim)])
        name = "element" if c.g.ndim == 1 else ("row", "column")[axis] if c.g.ndim == 2 else f"slice of axis {axis}"
        for where, part in (("first", line == 0), ("last", line == size - 1)):
            yield f"in the {where} {name}", np.broadcast_to(part, c.g.shape)
        ends = np.broadcast_to((line == 0) | (line == size - 1), c.g.shape)
        yield f"in the first and the last {name}", ends
        for where, start in (("second", 1), ("other second", 0)):
            if size > 3:
                yield f"in every {where} {name}", np.broadcast_to(line % 2 == start, c.g.shape)
    if c.g.ndim >= 2:
        rows, columns = (np.broadcast_to(np.arange(n)[s], c.g.shape) for n, s in
                         ((c.g.shape[-2], np.s_[:, None]), (c.g.shape[-1], np.s_[:])))  # fmt: skip
        yield "on the diagonal", rows == columns
        yield "above the diagonal", rows < columns
        yield "below the diagonal", rows > columns


def _values_regions(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Where an input is negative, zero or positive; where the right answer is."""
    arrays = [(f"where {name} is", as_float(x)) for name, x in c.inputs.items() if np.shape(x) == c.g.shape]
    arrays += [("where the right answer is", c.e)]
    for name, x in arrays:
        if x.ndim and "complex" not in x.dtype.name:
            yield f"{name} 0", x == 0
            yield f"{name} negative", x < 0
            yield f"{name} positive", x > 0


def nearly(c: Comparison) -> str | None:
    """All within a percent: a small constant, or precision."""
    size = np.abs(c.e).max(initial=0.0)
    if not size or not np.all(np.abs(c.g - c.e) <= 1e-2 * np.abs(c.e) + 1e-3 * size):
        return None
    return (
        "The result is right to two digits only: is a small constant (an epsilon) missing, too large or in the wrong"
        f" place, or was something rounded? {_furthest(c)}"
    )


def somewhere(c: Comparison) -> str:
    """What can be said of any wrong numbers."""
    if c.g.size == 1:
        return f"The result is {number(c.g.flat[0])}" + (f", where {number(c.e.flat[0])} is expected." if c.reveal
                                                         else ", which is wrong.")  # fmt: skip
    return f"{_some(c)} the number is wrong, first {c.at(c.first(c.wrong))}."


def _some(c: Comparison) -> str:
    wrong, size = int(c.wrong.sum()), c.wrong.size
    return "Everywhere" if wrong == size else f"In {wrong} of {size} places"


def _furthest(c: Comparison) -> str:
    index = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(c.g - c.e)), c.g.shape))
    return f"Furthest off {c.at(index)}." if index else f"It is {c.at(())}."


RECOGNISERS: tuple[Callable[[Comparison], str | None], ...] = (
    unexpected_nonfinite,
    same_as_input,
    all_equal,
    zero,
    off_by_one,
    constant_factor,
    constant_offset,
    another_order,
    another_function,
    factor_along_an_axis,
    right_except,
    nearly,
    somewhere,
)
