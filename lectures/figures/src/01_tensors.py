"""Draw the figures of lecture 01: `python lectures/figures/src/01_tensors.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sheet import Sheet

from minitorch_course.figures import broadcasting, strides


class View(NamedTuple):
    """A strided view of a row of numbers."""

    data: list[int]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int = 0


ROW = list(range(10, 22))
SIX = [1, 2, 3, 4, 5, 6]
SQUARE = np.array([[1, 2, 1], [2, 4, 2], [5, 4, 1]])
FIGURES = {
    "bias": broadcasting.stretch([[1, 2, 3], [4, 5, 6]], [10, 20, 30]),
    "table": broadcasting.stretch([[0], [10], [20]], [[1, 2, 3, 4]]),
    "costly": broadcasting.stretch([[1], [2], [3], [4]], [1, 2, 3, 4], "−"),
    "row": strides.walk(View(ROW, (3, 4), (4, 1))),
    "transposed": strides.walk(View(ROW, (3, 4), (4, 1)), View(ROW, (4, 3), (1, 4))),
    "sliced": strides.walk(View(ROW, (3, 2), (4, 2), 1), View(ROW, (3, 4), (4, -1), 3)),
    "stretched": strides.walk(View([10, 20, 30], (2, 3), (0, 1))),
    "reshape_not": strides.walk(View(SIX, (3, 2), (1, 3))),
    "reshape": strides.walk(View(SIX, (3, 2), (2, 1))),
    "keepdims_dropped": broadcasting.stretch(SQUARE, SQUARE.sum(axis=1), "÷"),
    "keepdims_kept": broadcasting.stretch(SQUARE, SQUARE.sum(axis=1, keepdims=True), "÷"),
    "product": broadcasting.product([[1, 2, 3], [4, 5, 6]], np.arange(12).reshape(3, 4)),
}

if __name__ == "__main__":
    Sheet("01").put(FIGURES)
