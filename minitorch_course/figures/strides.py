"""Drawings of strided views next to the row of memory that they read."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from minitorch._palette import BLUE, GRAY, INK, PAPER, TINTS, VERMILION

from . import svg

ARC = 34  # Pixels that the arcs of steps take above and below the row.


class Cell(NamedTuple):
    """One element of a view: its index, and its position in the row."""

    index: tuple[int, ...]
    position: int


def walk(*views: Any) -> svg.Drawing:
    """Draw views of one or two axes with `data`, `shape`, `strides` and `start`, one below the other.

    Next to each table is the row of memory, with the elements of the view filled. An arc shows the step from element
    [0, 0] to the next one along each axis.
    """
    return svg.drawing(svg.vstack([_view(v) for v in views]), "; ".join(map(_layout, views)))


def _layout(v: Any) -> str:
    return f"shape {v.shape}, strides {v.strides}, start {v.start}"


def _view(v: Any) -> svg.Block:
    cells = [_cell(v, index) for index in itertools.product(*map(range, v.shape))]
    return svg.captioned(svg.hstack([_table(v, cells), _row(v, cells)]), _layout(v))


def _cell(v: Any, index: tuple[int, ...]) -> Cell:
    return Cell(index, v.start + sum(i * step for i, step in zip(index, v.strides, strict=True)))


def _table(v: Any, cells: list[Cell]) -> svg.Block:
    rows, columns = (1, *v.shape)[-2:]
    shapes = [
        _number(j * svg.CELL, i * svg.ROW, v.data[cell.position], filled=True)
        for cell in cells
        for i, j in [(0, *cell.index)[-2:]]
    ]
    return svg.Block("".join(shapes), columns * svg.CELL, rows * svg.ROW)


def _row(v: Any, cells: list[Cell]) -> svg.Block:
    read = {cell.position for cell in cells}
    shapes = [
        _number(p * svg.CELL, 0, number, p in read) + svg.label((p + 0.5) * svg.CELL, svg.ROW + 14, str(p), GRAY, 13)
        for p, number in enumerate(v.data)
    ]
    shapes += [_step(v, axis) for axis in range(len(v.shape)) if v.shape[axis] > 1]
    return svg.Block(svg.moved("".join(shapes), 0, ARC), len(v.data) * svg.CELL, svg.ROW + 2 * ARC + 10)


def _number(x: float, y: float, number: Any, filled: bool) -> str:
    fill, ink = (TINTS[BLUE], INK) if filled else (PAPER, GRAY)
    rect = f'<rect x="{x:g}" y="{y:g}" width="{svg.CELL}" height="{svg.ROW}" fill="{fill}" stroke="{GRAY}"/>'
    return rect + svg.label(x + svg.CELL / 2, y + svg.ROW / 2 + 5, f"{number:g}".replace("-", "−"), ink)


def _step(v: Any, axis: int) -> str:
    """Return an arc from the first element to its neighbour along an axis: axis 0 below the row, axis 1 above."""
    below_row = axis == 0 and len(v.shape) > 1
    colour = BLUE if axis == 0 else VERMILION
    x, step = (v.start + 0.5) * svg.CELL, v.strides[axis] * svg.CELL
    y, bend = (svg.ROW + 18, 26) if below_row else (-3, -26)
    if not step:
        return svg.label(x, y + (16 if below_row else -8), f"axis {axis}: stays", colour, 13, 600)
    text = f"axis {axis}: {v.strides[axis]:+d}".replace("-", "−")
    words = svg.label(x + step / 2, y + bend / 2 + (14 if below_row else -5), text, colour, 13, 600)
    arc = f'<path d="M{x:g} {y:g}q{step / 2:g} {bend} {step:g} 0" fill="none" stroke="{colour}" stroke-width="1.8"/>'
    return f'{arc}<path d="M{x + step:g} {y:g}l-4 {bend / 4:g}h8z" fill="{colour}"/>{words}'
