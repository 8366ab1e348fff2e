"""Answers that are a constant times the right one, and the mistakes behind typical constants."""

from __future__ import annotations

import itertools
import math

import numpy as np

from .comparison import EXACT, Comparison, near, number

OTHER_BASE = "is it a logarithm to a base other than e?"
KNOWN = {
    math.log(2): f"0.693, which is log 2: {OTHER_BASE}",
    1 / math.log(2): f"1.443, which is 1/log 2: {OTHER_BASE}",
    math.log(10): f"2.303, which is log 10: {OTHER_BASE}",
    180 / math.pi: "57.3, which is 180/pi: are these degrees where radians are meant, or the other way round?",
}
LARGEST = 4096  # A larger integer ratio (for one number, larger than 64) is chance.


def constant_factor(c: Comparison) -> str | None:
    """Recognize an answer that is a constant times the right one."""
    factor, subject = ratio(c.g, c.e), "Every number" if c.g.size > 1 else "The result"
    if factor is None:
        return None
    if reason := factor_reason(factor, c.g.shape, subject):
        return reason
    if c.g.size == 1:
        return None
    shown = f"{number(factor)} times what it should be" if c.reveal else "off by one constant factor"
    return f"Every number is {shown}: is a factor or a division missing?"


def ratio(given: np.ndarray, expected: np.ndarray) -> float | None:
    """Return the constant c of given = c * expected, or None if there is none or all expected numbers are 0."""
    given, expected = given.ravel(), expected.ravel()
    if "complex" in given.dtype.name or not np.any(expected):
        return None
    factor = float(given @ expected / (expected @ expected))
    spread = np.abs(given - factor * expected).max()
    return factor if factor and spread <= EXACT * np.abs(given).max() else None


def factor_reason(factor: float, shape: tuple[int, ...], subject: str) -> str | None:
    """Return the reason for a typical factor, or None. `subject` is what has the factor, such as `Every number`."""
    if near(factor, -1):
        return f"The sign is wrong: {subject[0].lower()}{subject[1:]} is -1 times what it should be."
    size = max(abs(factor), 1 / abs(factor))
    cause = _cause(size, abs(factor) > 1, shape) or (_bessel(factor) if factor > 0 else None)
    if cause is None:
        return None
    sign = " has the wrong sign, and" if factor < 0 else ""
    return f"{subject}{sign} is too {'large' if abs(factor) > 1 else 'small'} by a factor of {cause}"


def _cause(size: float, large: bool, shape: tuple[int, ...]) -> str | None:
    for value, cause in KNOWN.items():
        if near(size, value):
            return cause
    if size > LARGEST:
        return None
    whole, square = round(size), round(size**2)
    if near(size, whole) and 2 <= whole <= (LARGEST if shape else 64):
        return _whole(whole, large, shape)
    if square in _sizes(shape) and near(size**2, square):
        return f"sqrt({square}), and {square} is the size of an axis."
    return None


def _whole(whole: int, large: bool, shape: tuple[int, ...]) -> str:
    if whole == 2:
        return "2: is a 2 or a 1/2 missing or superfluous, or is something added twice?"
    axes = " (the size of an axis)" if whole in _sizes(shape) else ""
    if large:
        return f"{whole}{axes}: is something summed that should be averaged?"
    return f"{whole}{axes}: is something averaged that should be summed, or divided twice?"


def _bessel(factor: float) -> str | None:
    for n in range(3, 21):
        if near(factor, n / (n - 1)) or near(factor, (n - 1) / n):
            return f"{n}/{n - 1}: is it divided by N - 1 where N is meant, or the other way round?"
    return None


def _sizes(shape: tuple[int, ...]) -> set[int]:
    """Return the sizes of the axes, and the products of several."""
    return {math.prod(part) for r in range(1, len(shape) + 1) for part in itertools.combinations(shape, r)}
