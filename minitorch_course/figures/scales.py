"""Drawings of notebook 10: weights that share a scale, and two codes in one byte."""

from __future__ import annotations

from collections.abc import Sequence

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, PURPLE, TINTS, VERMILION

from . import svg

COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
HEAD = 26  # Pixels between a matrix and its scales.
BIT = 30

Matrix = Sequence[Sequence[float]]


def shares(matrix: Matrix, ways: Sequence[tuple[str, int | None]]) -> svg.Drawing:
    """Draw a matrix once for each of `ways`: a name, and the group size in a row, or None for one scale per matrix.

    Weights that share a scale have the same colour. The largest magnitude of each group is on the right.
    """
    blocks = [svg.captioned(_matrix(matrix, group), name) for name, group in ways]
    return svg.drawing(svg.vstack(blocks), "; ".join(name for name, _ in ways))


def _matrix(matrix: Matrix, group: int | None) -> svg.Block:
    rows, inputs = len(matrix), len(matrix[0])
    shapes = []
    for i, row in enumerate(matrix):
        for j, x in enumerate(row):
            shapes.append(svg.box(j * svg.CELL, i * svg.ROW, _written(x), _colour(i, j // (group or inputs), group)))
    left, across = inputs * svg.CELL + HEAD, inputs // group if group else 1
    for i in range(rows if group else 1):
        for k in range(across):
            numbers = matrix[i][k * group : (k + 1) * group] if group else [x for row in matrix for x in row]
            largest = max(map(abs, numbers))
            y = i * svg.ROW if group else (rows - 1) / 2 * svg.ROW
            shapes.append(_scale(left + k * (svg.CELL + 30), y, largest, _colour(i, k, group)))
    return svg.Block("".join(shapes), left + 2 * (svg.CELL + 30), rows * svg.ROW)


def _colour(row: int, part: int, group: int | None) -> str:
    """Return a colour that differs from those of neighbouring groups."""
    return COLOURS[(row + 2 * part) % 4] if group else BLUE


def _scale(x: float, y: float, largest: float, colour: str) -> str:
    return svg.label(x + svg.CELL / 2 + 6, y + svg.ROW / 2 + 5, f"{_written(largest)} / 7", colour, 15, 600)


def _written(x: float) -> str:
    return f"{x:g}".replace("-", "−")


def nibbles(codes: Sequence[int]) -> svg.Drawing:
    """Draw two codes of 4 bits, with their bits as int8 and as int4, and the byte that holds both."""
    low, high = codes
    written = svg.hstack(
        [_code(high, VERMILION), svg.symbol(""), _code(low, BLUE)],
    )
    byte = svg.captioned(
        svg.Block(_bits(high & 15, 4, VERMILION, 0) + _bits(low & 15, 4, BLUE, 4 * BIT), 8 * BIT, svg.ROW),
        f"the byte: {(high & 15) << 4 | low & 15}",
    )
    halves = svg.hstack([_side("high half", VERMILION), byte, _side("low half", BLUE)])
    title = f"{low} in the low half and {high} in the high half of a byte"
    return svg.drawing(svg.vstack([written, svg.Block(svg.label(14, 20, "↓", GRAY, 24), 28, 24), halves]), title)


def _code(code: int, colour: str) -> svg.Block:
    """Return the 8 bits of a code as int8, with the discarded upper four pale."""
    bits = _bits(code >> 4 & 15, 4, colour, 0, gone=True) + _bits(code & 15, 4, colour, 4 * BIT)
    return svg.captioned(svg.Block(bits, 8 * BIT, svg.ROW), f"{_written(code)} as int8", colour)


def _bits(number: int, count: int, colour: str, x: float, gone: bool = False) -> str:
    """Return boxes with the bits of a number, the highest first."""
    shapes = []
    for i in range(count):
        fill, dashes = (PAPER, ' stroke-dasharray="3 3"') if gone else (TINTS[colour], "")
        shapes.append(
            f'<rect x="{x + i * BIT:g}" y="0" width="{BIT}" height="{svg.ROW}" fill="{fill}" stroke="{colour}"'
            f' stroke-width="1.4"{dashes}/>'
        )
        bit = str(number >> (count - 1 - i) & 1)
        shapes.append(svg.label(x + (i + 0.5) * BIT, svg.ROW / 2 + 5, bit, GRAY if gone else INK))
    return "".join(shapes)


def _side(text: str, colour: str) -> svg.Block:
    return svg.Block(svg.label(40, svg.ROW / 2 - 6, text, colour, 14, 600), 80, svg.ROW)
