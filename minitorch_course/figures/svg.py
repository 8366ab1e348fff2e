"""Small drawings in SVG: numbers in boxes, and blocks next to each other."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from minitorch._palette import GRAY, INK, PAPER, TINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

CELL, ROW = 44, 34  # Pixels: the box of a number.
GAP, MARGIN, CAPTION = 16, 14, 26


class Drawing(str):
    """SVG source that a notebook displays as a picture, and as its title where it cannot."""

    title: str

    def __new__(cls, source: str, title: str) -> Drawing:
        made = super().__new__(cls, source)
        made.title = title
        return made

    def _repr_svg_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"Drawing: {self.title}"


class Block(NamedTuple):
    """A piece of a drawing, from (0, 0) to (width, height)."""

    shapes: str
    width: float
    height: float


def box(x: float, y: float, text: str, colour: str, copy: bool = False) -> str:
    """Return a number in a box; a copy of a number is pale, with a dashed edge."""
    fill, dashes = (PAPER, ' stroke-dasharray="3 3"') if copy else (TINTS[colour], "")
    rect = (
        f'<rect x="{x:g}" y="{y:g}" width="{CELL}" height="{ROW}" rx="3" fill="{fill}" stroke="{colour}"'
        f' stroke-width="1.4"{dashes}/>'
    )
    return rect + (label(x + CELL / 2, y + ROW / 2 + 5, text, GRAY if copy else INK) if text else "")


def label(x: float, y: float, text: str, colour: str = INK, size: int = 15, weight: int = 400) -> str:
    """Return text, centred at x, with its baseline at y."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="middle">'
        f"{escape(text)}</text>"
    )


def moved(shapes: str, x: float, y: float) -> str:
    """Return the shapes moved by (x, y)."""
    return f'<g transform="translate({x:g} {y:g})">{shapes}</g>'


def symbol(text: str) -> Block:
    """Return an operator between two blocks."""
    return Block(label(14, ROW / 2 + 8, text, INK, 24), 28, ROW)


def arrow(text: str) -> Block:
    """Return the name of an operation between two blocks, with an arrow to the right below it."""
    width = 7.0 * len(text)
    words = label(width / 2, ROW / 2 + 5, text, GRAY, 14)
    return Block(words + label(width / 2, ROW + 8, "→", GRAY, 22), width, ROW)


def captioned(block: Block, text: str, colour: str = INK) -> Block:
    """Return the block with a line of text below it."""
    width = max(block.width, 8.4 * len(text))
    left = (width - block.width) / 2
    words = label(width / 2, block.height + CAPTION - 6, text, colour, 14, 600)
    return Block(moved(block.shapes, left, 0) + words, width, block.height + CAPTION)


def hstack(blocks: Sequence[Block]) -> Block:
    """Return the blocks from left to right, vertically centred."""
    height, x, shapes = max(block.height for block in blocks), 0.0, []
    for block in blocks:
        shapes.append(moved(block.shapes, x, (height - block.height) / 2))
        x += block.width + GAP
    return Block("".join(shapes), x - GAP, height)


def vstack(blocks: Sequence[Block]) -> Block:
    """Return the blocks from top to bottom, horizontally centred."""
    width, y, shapes = max(block.width for block in blocks), 0.0, []
    for block in blocks:
        shapes.append(moved(block.shapes, (width - block.width) / 2, y))
        y += block.height + GAP
    return Block("".join(shapes), width, y - GAP)


def drawing(block: Block, title: str) -> Drawing:
    """Return the block on a white background, for a notebook or a file."""
    width, height = block.width + 2 * MARGIN, block.height + 2 * MARGIN
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f" height=\"{height:g}\" font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\">"
        f'<title>{escape(title)}</title><rect width="100%" height="100%" rx="8" fill="{PAPER}"/>'
        f"{moved(block.shapes, MARGIN, MARGIN)}</svg>",
        title,
    )
