"""Answers that are wrong only in a region with a name: the first row, the diagonal, where an input is negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .comparison import Comparison, as_float
from .scale_errors import factor_reason, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator


def right_except(c: Comparison) -> str | None:
    """Recognize an answer that is wrong in one region only, or right in one region only."""
    place = locate(c)
    if place is None:
        return None
    given, expected = c.g[c.wrong], c.e[c.wrong]
    if given.size > 1 and not given.any():
        return f"{place} the result is 0, and should not be."
    factor = ratio(given, expected) if given.size > 1 else None
    if factor and (reason := factor_reason(factor, c.g.shape, "There, every number")):
        return f"{place} the result is wrong. {reason}"
    return f"{place} the result is wrong, {c.at(c.first(c.wrong))}."


def locate(c: Comparison) -> str | None:
    """Describe the wrong elements, as in `Right elsewhere, but in the first row`, or return None without a pattern."""
    if c.wrong.all():
        return None
    regions = [(name, region) for name, region in _regions(c) if region.any() and not region.all()]
    for name, region in regions:
        if not (c.wrong & ~region).any() and 2 * c.wrong.sum() > region.sum():
            return f"Right elsewhere, but {name}"
    return next((f"Right {name}, but elsewhere" for name, region in regions if (c.wrong != region).all()), None)


def _regions(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the regions of the array that a mistake may be confined to, and their names."""
    yield from _values_regions(c)
    for axis, size in enumerate(c.g.shape):
        line = np.arange(size).reshape([-1 if a == axis else 1 for a in range(c.g.ndim)])
        name = "element" if c.g.ndim == 1 else ("row", "column")[axis] if c.g.ndim == 2 else f"slice of axis {axis}"
        for end, part in (("first", line == 0), ("last", line == size - 1)):
            yield f"in the {end} {name}", np.broadcast_to(part, c.g.shape)
        ends = np.broadcast_to((line == 0) | (line == size - 1), c.g.shape)
        yield f"in the first and the last {name}", ends
        for parity, start in (("second", 1), ("other second", 0)):
            if size > 3:
                yield f"in every {parity} {name}", np.broadcast_to(line % 2 == start, c.g.shape)
    if c.g.ndim >= 2:
        rows, columns = (np.broadcast_to(np.arange(n)[s], c.g.shape) for n, s in
                         ((c.g.shape[-2], np.s_[:, None]), (c.g.shape[-1], np.s_[:])))  # fmt: skip
        yield "on the diagonal", rows == columns
        yield "above the diagonal", rows < columns
        yield "below the diagonal", rows > columns


def _values_regions(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the regions where an input, or the right answer, is zero, negative or positive."""
    arrays = [(f"where {name} is", as_float(x)) for name, x in c.inputs.items() if np.shape(x) == c.g.shape]
    arrays += [("where the right answer is", c.e)]
    for name, x in arrays:
        if x.ndim and "complex" not in x.dtype.name:
            yield f"{name} 0", x == 0
            yield f"{name} negative", x < 0
            yield f"{name} positive", x > 0
