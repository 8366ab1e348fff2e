"""Recognizers of simple mistakes from wrong numbers in an array of the right shape.

Each recognizer takes a `Comparison` and returns a sentence, or None. `RECOGNIZERS` lists them from the simplest to the
most specific, and the first that returns a sentence decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .comparison import EXACT, Comparison, as_float, is_complex, near, number, same
from .localize import locate, right_except
from .scale_errors import constant_factor
from .serialize import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

OVERFLOW = "an overflow (exp of a large number?)"
FROM_INFINITY = f"{OVERFLOW}, a division by 0, or log 0"
FROM_NAN = f"{OVERFLOW} and then inf/inf or inf - inf, from 0/0, or from log or sqrt of a negative number"


def explain_numbers(comparison: Comparison) -> str:
    """Return one or two sentences on why these numbers are wrong."""
    if kind_of(comparison.expected) == "bool":
        return _truth_values(comparison)
    with np.errstate(all="ignore"):
        return next(filter(None, (recognize(comparison) for recognize in RECOGNIZERS)))


def _truth_values(c: Comparison) -> str:
    if c.wrong.all():
        return "Every truth value is the opposite of the expected one: is the condition negated?"
    if c.g.ndim == 2 and c.g.shape[0] == c.g.shape[1] and np.array_equal(c.g, c.e.T):
        return "The mask is transposed: rows and columns are swapped."
    return f"{locate(c) or _some(c)} the truth value is wrong."


def unexpected_nonfinite(c: Comparison) -> str | None:
    """Recognize NaN or infinity in place of a finite number, and the reverse."""
    nan, infinite = np.isnan(c.g) & ~np.isnan(c.e), np.isinf(c.g) & np.isfinite(c.e)
    for bad, name, cause in ((nan, "NaN", FROM_NAN), (infinite, "infinity", FROM_INFINITY)):
        if bad.any():
            place = f" at {list(c.first(bad))}" if c.g.ndim else ""
            return f"The result contains {name}{place}, where a finite number is expected. It comes from {cause}."
    missing = c.wrong & ~np.isfinite(c.e)
    if missing.any():
        place = f" at {list(c.first(missing))}" if c.g.ndim else ""
        shown = f", where {number(c.e[c.first(missing)])} is expected" if c.reveal else ", which is not right there"
        return f"The result is {number(c.g[c.first(missing)])}{place}{shown}."
    return None


def same_as_input(c: Comparison) -> str | None:
    """Recognize an input that was returned unchanged."""
    for name, value in c.inputs.items():
        if np.shape(value) == c.g.shape and kind_of(value) and same(as_float(c.given), as_float(value)):
            return f"The result is {name} itself, unchanged: is the computed value returned?"
    return None


def all_equal(c: Comparison) -> str | None:
    """Recognize an array of equal numbers, where different numbers are expected."""
    if c.g.size < 2 or np.any(c.g != c.g.flat[0]) or np.all(c.e == c.e.flat[0]):
        return None
    if c.g.flat[0] == 0:
        return "All numbers of the result are 0: was an array of zeros created and never filled?"
    return f"All numbers of the result are {number(c.g.flat[0])}: does it depend on the input?"


def zero(c: Comparison) -> str | None:
    """Recognize a single 0."""
    return "The result is 0: is anything added to it?" if c.g.size == 1 and not c.g.any() else None


def off_by_one(c: Comparison) -> str | None:
    """Recognize an integer that is one too large or too small."""
    if c.g.size > 1 or kind_of(c.expected) != "int" or abs((c.g - c.e).item()) != 1:
        return None
    return f"The result is one too {'large' if c.g.item() > c.e.item() else 'small'}: look for an off-by-one."


def constant_offset(c: Comparison) -> str | None:
    """Recognize an answer that differs from the right one by a constant."""
    difference = c.g - c.e
    if c.g.size < 2 or not np.isfinite(difference).all() or is_complex(c):
        return None
    offset = float(np.median(difference))
    if not offset or np.abs(difference - offset).max() > 10 * EXACT * (abs(offset) + np.abs(c.e).max()):
        return None
    way = "large" if offset > 0 else "small"
    shown = number(abs(offset)) if c.reveal or near(abs(offset), round(abs(offset))) else "the same amount"
    return f"Every number is too {way} by {shown}: is something added, subtracted or left out everywhere?"


def another_order(c: Comparison) -> str | None:
    """Recognize right numbers that are transposed, reversed, shifted or permuted along one axis."""
    if c.g.ndim == 2 and c.g.shape[0] == c.g.shape[1] and c.agrees(c.e.T):
        return "The numbers are right, but rows and columns are swapped: it is transposed."
    if c.g.ndim > 1 and c.agrees(c.e.reshape(c.e.shape[::-1]).T):
        return "The numbers are right, but in another order: was it transposed where it should be reshaped?"
    if c.g.ndim > 1 and c.agrees(c.e.T.reshape(c.e.shape)):
        return "The numbers are right, but in another order: was it reshaped where it should be transposed?"
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
    """Return whether whole slices, or the numbers in each slice, are permuted."""
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
    """Recognize a simple function of the right answer."""
    if is_complex(c) or c.agrees(np.ones_like(c.g)) or not np.any(c.g):
        return None  # For ones or zeros it would be chance.
    for message, function in INVERSES.items():
        if c.agrees(function(c.e)):
            return message
    return None


def factor_along_an_axis(c: Comparison) -> str | None:
    """Recognize an answer that differs in each row or column by its own factor or summand."""
    if is_complex(c) or not np.isfinite(c.g).all() or not np.isfinite(c.e).all():
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


def nearly(c: Comparison) -> str | None:
    """Recognize numbers that are all within a percent of the right ones."""
    size = np.abs(c.e).max(initial=0.0)
    if not size or not np.all(np.abs(c.g - c.e) <= 1e-2 * np.abs(c.e) + 1e-3 * size):
        return None
    return (
        "Only about two digits of the result are right: is a small constant (an epsilon) missing, too large or in the"
        f" wrong place, or was something rounded? {_furthest(c)}"
    )


def somewhere(c: Comparison) -> str:
    """Describe any wrong numbers."""
    if c.g.size == 1:
        return f"The result is {number(c.g.flat[0])}" + (f", where {number(c.e.flat[0])} is expected." if c.reveal
                                                         else ", which is wrong.")  # fmt: skip
    return f"{_some(c)} the number is wrong, first {c.at(c.first(c.wrong))}."


def _some(c: Comparison) -> str:
    wrong, size = int(c.wrong.sum()), c.wrong.size
    return "Everywhere" if wrong == size else f"In {wrong} of {size} places"


def _furthest(c: Comparison) -> str:
    index = tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(c.g - c.e)), c.g.shape))
    return f"The largest error is {c.at(index)}." if index else f"It is {c.at(())}."


RECOGNIZERS: tuple[Callable[[Comparison], str | None], ...] = (
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
