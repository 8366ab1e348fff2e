"""Drawings of broadcasting: arrays stretched to a common shape, with the copies in dashed boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch._palette import BLUE, GREEN, VERMILION

from . import svg

if TYPE_CHECKING:
    from collections.abc import Callable

SHEET_X, SHEET_Y = 26, 22  # Pixels from a sheet of a cube to the one behind it.
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "−": np.subtract, "×": np.multiply, "÷": np.divide}


def stretch(a: Any, b: Any, operation: str = "+") -> svg.Drawing:
    """Draw two arrays of at most three axes, stretched to a common shape, and the result of `+`, `−`, `×` or `÷`."""
    a, b = np.asarray(a), np.asarray(b)
    y = OPERATIONS[operation](a, b)
    row = [
        _stretched(a, y.shape, BLUE),
        svg.symbol(operation),
        _stretched(b, y.shape, VERMILION),
        svg.symbol("="),
    ]
    return svg.drawing(svg.hstack([*row, _result(y)]), f"{a.shape} {operation} {b.shape} = {y.shape}")


def product(a: Any, b: Any) -> svg.Drawing:
    """Draw the matrix product of `a` and `b`: stretched to a cube, multiplied, and summed along the middle axis."""
    a, b = np.asarray(a)[:, :, None], np.asarray(b)[None]
    cube = a * b
    first = [_stretched(a, cube.shape, BLUE), svg.symbol("×"), _stretched(b, cube.shape, VERMILION)]
    second = [svg.symbol("="), _result(cube), svg.arrow("sum over axis 1"), _result(cube.sum(1))]
    title = f"the product of {a.shape[:2]} and {b.shape[1:]}, by way of {cube.shape}"
    return svg.drawing(svg.vstack([svg.hstack(first), svg.hstack(second)]), title)


def _result(y: np.ndarray) -> svg.Block:
    return svg.captioned(array(y, GREEN), str(y.shape), GREEN)


def _stretched(x: np.ndarray, shape: tuple[int, ...], colour: str) -> svg.Block:
    """Return `x` among its copies, with its shape and the shape that it is stretched to."""
    text = f"{x.shape} → {shape}" if x.shape != shape else str(shape)
    return svg.captioned(array(np.broadcast_to(x, shape), colour, _originals(x.shape, shape)), text, colour)


def _originals(small: tuple[int, ...], large: tuple[int, ...]) -> np.ndarray:
    """Return where the large array holds an original number: at index 0 of each stretched axis."""
    padded = (1,) * (len(large) - len(small)) + small
    along = zip(np.indices(large), large, padded, strict=True)
    return np.all([(index == 0) | (n == m) for index, n, m in along], axis=0)


def array(x: Any, colour: str, originals: Any = None) -> svg.Block:
    """Return an array as a table; with three axes, as sheets behind each other, the first in front."""
    x = np.asarray(x)
    originals = np.broadcast_to(True if originals is None else originals, x.shape)
    lift = (1,) * (3 - x.ndim)
    sheets, kept = x.reshape(lift + x.shape), originals.reshape(lift + x.shape)
    depth, rows, columns = sheets.shape
    back = depth - 1
    shapes = [
        svg.moved(_sheet(sheets[i], kept[i], colour, numbers=i == 0), i * SHEET_X, (back - i) * SHEET_Y)
        for i in reversed(range(depth))
    ]
    return svg.Block("".join(shapes), columns * svg.CELL + back * SHEET_X, rows * svg.ROW + back * SHEET_Y)


def _sheet(x: np.ndarray, kept: np.ndarray, colour: str, numbers: bool) -> str:
    return "".join(
        svg.box(j * svg.CELL, i * svg.ROW, _number(x[i, j]) if numbers else "", colour, copy=not kept[i, j])
        for i, j in np.ndindex(*x.shape)
    )


def _number(x: Any) -> str:
    return f"{float(x):.3g}".replace("-", "−")
