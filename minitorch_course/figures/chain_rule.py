"""Drawings of the chain rule, for notebook 02 and its lecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch._palette import BLUE, GRAY, INK, PAPER, TINTS, VERMILION

from . import svg
from .svg import ROW, Block, Drawing, captioned, drawing, hstack, label, symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP, RADIUS, WIDE = 96, 15, 96  # Pixels: between nodes of a chain, a node, the box of a number with decimals.
HISTORY = (
    (1964, "Wengert", "the list"),
    (1970, "Linnainmaa", "walks it backwards"),
    (1974, "Werbos", "for networks"),
    (1980, "Speelpenning", "in a compiler"),
    (1986, "Rumelhart et al.", "make it famous"),
    (1994, "Pearlmutter", "Hessian times v"),
    (2015, "autograd", "for NumPy"),
    (2016, "PyTorch", "on GPUs"),
    (2018, "JAX", "and a compiler"),
)


def grid(numbers: Sequence[Sequence[str]], colour: str, copy: bool = False) -> Block:
    """Return rows of numbers in boxes."""
    boxes = [
        svg.box(j * svg.CELL, i * ROW, number, colour, copy)
        for i, row in enumerate(numbers)
        for j, number in enumerate(row)
    ]
    return Block("".join(boxes), svg.CELL * len(numbers[0]), ROW * len(numbers))


def copying_and_summing() -> Drawing:
    """Draw broadcasting and sum, forwards and backwards: each is the backward pass of the other."""
    bias, batch = [["10", "20", "30"]], [["10", "20", "30"]] * 2
    numbers = [["1", "2", "3"], ["4", "5", "6"]]
    lines = [
        _line("broadcast", [(bias, "b (3,)"), "copied", (batch, "used twice")], BLUE),
        _line("", [(numbers, "g (2, 3)"), "summed", ([["5", "7", "9"]], "b receives")], VERMILION),
        _line("sum", [(numbers, "a (2, 3)"), "summed", ([["6"], ["15"]], "y (2,)")], BLUE),
        _line("", [([["7"], ["8"]], "g (2,)"), "copied", ([["7"] * 3, ["8"] * 3], "a receives")], VERMILION),
    ]
    heads = _padded(Block(label(250, 14, "forwards", BLUE, 16, 600), 0, 18), 480)
    heads = hstack([heads, Block(label(200, 14, "backwards", VERMILION, 16, 600), 400, 18)])
    rows = [heads, hstack(lines[:2]), hstack(lines[2:])]
    return drawing(svg.vstack(rows), "What is copied forwards is summed backwards, and the other way round")


def _line(name: str, parts: Sequence[Any], colour: str) -> Block:
    (before, what), verb, (after, then) = parts
    word = [Block(label(40, ROW / 2 + 5, name, INK, 16, 600), 80, ROW)] if name else []
    made = captioned(grid(after, colour, copy=verb == "copied"), then)
    return _padded(hstack([*word, captioned(grid(before, colour), what), svg.arrow(verb), made]), 480 if name else 400)


def _padded(block: Block, width: float) -> Block:
    return Block(block.shapes, width, block.height)


def paths(steps: int = 5) -> Drawing:
    """Draw x + x, repeated: two edges per step, and the number of paths back to the first x."""
    shapes = []
    for i in range(steps + 1):
        x = RADIUS + i * STEP
        if i < steps:
            shapes += [
                f'<path d="M{x} 60q{STEP / 2} {bend} {STEP} 0" fill="none" stroke="{GRAY}" stroke-width="1.6"/>'
                for bend in (-44, 44)
            ]
        shapes.append(f'<circle cx="{x}" cy="60" r="{RADIUS}" fill="{PAPER}" stroke="{INK}" stroke-width="1.3"/>')
        shapes += [label(x, 65, "+" if i else "x"), label(x, 108, str(2 ** (steps - i)), VERMILION, 15, 600)]
    shapes.append(label(STEP * steps / 2 + RADIUS, 14, "two ways at each step", GRAY, 14))
    shapes.append(label(STEP * steps / 2 + RADIUS, 134, "gradient = number of paths to the end", VERMILION, 14))
    return drawing(Block("".join(shapes), STEP * steps + 2 * RADIUS, 140), "x + x, five times: 32 paths")


def orders() -> Drawing:
    """Draw the product of three Jacobians, multiplied from either end."""
    row, square = _matrix(1, 1000, VERMILION), _matrix(1000, 1000, BLUE)
    dot, left, right = symbol("·"), symbol("("), symbol(")")
    backwards = hstack([left, row, dot, square, right, dot, square])
    forwards = hstack([row, dot, left, square, dot, square, right])
    return drawing(
        svg.vstack(
            [
                captioned(backwards, "backwards, row times matrix: 2 million multiplications", VERMILION),
                captioned(forwards, "forwards, matrix times matrix: 1,001 million multiplications", BLUE),
            ]
        ),
        "The same product in two orders",
    )


def _matrix(rows: int, columns: int, colour: str) -> Block:
    width, height = (56 if n > 1 else 8 for n in (columns, rows))
    rect = f'<rect width="{width}" height="{height}" rx="2" fill="{TINTS[colour]}" stroke="{colour}"/>'
    return captioned(Block(rect, width, height), f"{rows:,} × {columns:,}")


def nested() -> Drawing:
    """Draw a Tensor inside a Tensor, and the tapes that record an operation on it."""
    shapes = [
        _sheet(0, 0, 380, 150, VERMILION, "Tensor of the inner tape"),
        _sheet(50, 42, 300, 92, BLUE, "Tensor of the outer tape"),
        f'<rect x="130" y="84" width="140" height="34" rx="4" fill="{PAPER}" stroke="{INK}"/>',
        label(200, 106, "array 3.0"),
    ]
    notes = [
        (VERMILION, 20, "1. written on the inner tape"),
        (BLUE, 75, "2. written on the outer tape"),
        (INK, 130, "3. computed"),
    ]
    for colour, y, text in notes:
        shapes.append(label(600, y, text, colour, 15, 600))
    shapes.append(label(430, 84, "x · x", INK, 20))
    return drawing(Block("".join(shapes), 720, 152), "A tape in a tape")


def _sheet(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    rect = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{TINTS[colour]}" stroke="{colour}"/>'
    return rect + label(x + width / 2, y + 24, title, INK, 15, 600)


def softmax_slopes(scores: Sequence[float] = (2, 1, 0)) -> Drawing:
    """Draw the derivative of each probability with respect to each score: every row and column sums to zero."""
    y = np.exp(scores) / np.exp(scores).sum()
    slopes = np.diag(y) - np.outer(y, y)
    shapes = []
    for (i, j), slope in np.ndenumerate(slopes):
        colour = BLUE if slope > 0 else VERMILION
        x, top = 90 + j * WIDE, 40 + i * ROW
        shapes.append(
            f'<rect x="{x}" y="{top}" width="{WIDE}" height="{ROW}" fill="{TINTS[colour]}" stroke="{colour}"/>'
            + label(x + WIDE / 2, top + 22, f"{slope:+.3f}".replace("-", "−"))
        )
    shapes += [label(90 + (j + 0.5) * WIDE, 30, f"y = {p:.3f}", GRAY, 14) for j, p in enumerate(y)]
    shapes += [label(45, 62 + i * ROW, f"x = {score:g}", GRAY, 14) for i, score in enumerate(scores)]
    block = Block("".join(shapes), 90 + len(scores) * WIDE, 44 + len(scores) * ROW)
    return drawing(block, "The slopes of three probabilities by three scores")


def history() -> Drawing:
    """Draw who contributed which part of reverse-mode differentiation, and when."""
    step = 88
    shapes = [f'<path d="M0 92H{step * len(HISTORY)}" stroke="{GRAY}" stroke-width="2"/>']
    for i, (year, who, what) in enumerate(HISTORY):
        x, below = step * (i + 0.5), i % 2
        year_y, who_y = (74, 26) if not below else (120, 146)
        shapes += [
            f'<circle cx="{x:g}" cy="92" r="6" fill="{VERMILION if year in (1970, 1986) else BLUE}"/>',
            label(x, year_y, str(year), INK, 17, 600),
            label(x, who_y, who, INK, 14),
            label(x, who_y + 19, what, GRAY, 14),
        ]
    return drawing(Block("".join(shapes), step * len(HISTORY), 170), "A history of the list that is walked backwards")
