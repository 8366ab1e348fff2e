"""A drawing of the tape of notebook 02 as a graph: each edge carries a value forwards and a gradient backwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from minitorch._palette import BLUE, INK, PALE_GRAY, PAPER
from minitorch.autodiff.scalar import Scalar

from .graph_layout import Arrow, columns, heights, make_arrow, room
from .svg import Block, Drawing, drawing

NODE, STEP, PORT = 52, 152, 40  # Pixels: a node, from column to column, between two arrows.
VALUE, GRAD, LINE, GIVEN = BLUE, "#b84a00", PALE_GRAY, "#fdf3d8"  # GRAD is vermilion, darkened for text.
SYMBOLS = {"add": "+", "subtract": "−", "multiply": "×"}

Rules = Mapping[str, Sequence[Callable[..., float]]]


def scalar_tape(tape: Sequence[Any], grads: Sequence[float], rules: Rules) -> Drawing:
    """Draw a tape of rows (op, args, value) from left to right.

    `grads` holds the gradient of each row; `rules` give the gradients on the edges.
    """
    nodes: list[Scalar] = []
    for op, args, value in tape:
        nodes.append(Scalar(value, op, tuple(nodes[i] for i in args)))
    column = columns(nodes)
    arrows = [make_arrow(node, i, column, PORT) for node in nodes for i in range(len(node.parents))]
    height = heights(column, arrows)
    top = min(h - room(p) for p, h in height.items())
    bottom = max(h + room(p) for p, h in height.items())
    at = {p: (NODE / 2 + STEP * column[p], h - top) for p, h in height.items()}
    pulled = [_pulled(row, grads[i], tape, rules) for i, row in enumerate(tape)]
    ends = [(nodes.index(node), i) for node in nodes for i in range(len(node.parents))]
    edges = [_edge(a, at, tape[tape[n].args[i]].value, pulled[n][i]) for a, (n, i) in zip(arrows, ends, strict=True)]
    dots = [_node(node, grad, *at[node], node is nodes[-1]) for node, grad in zip(nodes, grads, strict=True)]
    block = Block("".join(edges + dots), STEP * max(column.values()) + NODE, bottom - top)
    return drawing(block, "The tape as a graph: values go right, gradients come back")


def _pulled(row: Any, grad: float, tape: Sequence[Any], rules: Rules) -> list[float]:
    op, args, y = row
    values = [tape[i].value for i in args]
    return [rule(grad, y, *values) for rule in rules[op]] if args else []


def _edge(arrow: Arrow, at: dict[Any, tuple[float, float]], value: float, grad: float) -> str:
    """Return a line from the first node to the last, the value above its last part, the gradient below."""
    x, y = at[arrow.route[0]]
    # Two arrows between the same two nodes run side by side.
    y += arrow.port if arrow.route[-1].parents.count(arrow.route[0]) > 1 else 0
    x += _reach(y - at[arrow.route[0]][1])
    line, middle = f"M{x:.1f} {y:.1f}", (x, y)
    for p in arrow.route[1:]:
        to_x, to_y = at[p]
        to_y += arrow.port if p is arrow.route[-1] else 0
        to_x -= _reach(arrow.port) + 4 if p is arrow.route[-1] else NODE / 2
        half = (x + to_x) / 2
        middle = half, (y + to_y) / 2
        line += f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = (to_x, to_y) if p is arrow.route[-1] else (to_x + NODE, to_y)
        line += f"H{x:.1f}"
    tip = f"M{x - 4:.1f} {y - 4:.1f}l8 4l-8 4z"
    return (
        f'<path d="{line}" fill="none" stroke="{LINE}" stroke-width="1.6"/><path d="{tip}" fill="{LINE}"/>'
        + _text(middle[0], middle[1] - 5, f"{_number(value)} →", VALUE, "middle")
        + _text(middle[0], middle[1] + 14, f"← {_number(grad)}", GRAD, "middle")
    )


def _reach(dy: float) -> float:
    """Return the horizontal distance from the middle of a node to its edge, `dy` above or below."""
    return math.sqrt(max((NODE / 2) ** 2 - dy**2, 0))


def _node(node: Scalar, grad: float, x: float, y: float, last: bool) -> str:
    fill = PAPER if node.parents else GIVEN
    name = SYMBOLS.get(node.name, node.name)
    size = 20 if name in SYMBOLS.values() else 15
    return (
        f'<rect x="{x - NODE / 2:.1f}" y="{y - NODE / 2:.1f}" width="{NODE}" height="{NODE}" rx="{NODE / 2}"'
        f' fill="{fill}" stroke="{INK}" stroke-width="1.3"/>'
        + _text(x, y + size * 0.35, name, INK, "middle", size)
        + _text(x, y + NODE / 2 + 15, _number(grad), GRAD, "middle")
        + (_text(x, y - NODE / 2 - 6, _number(node.value), VALUE, "middle") if last else "")
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str, size: int = 13) -> str:
    weight, halo = (600, PAPER) if colour in (VALUE, GRAD) else (400, "none")  # A halo keeps numbers clear of lines.
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}"'
        f' text-anchor="{anchor}" paint-order="stroke" stroke="{halo}" stroke-width="4">{escape(text)}</text>'
    )


def _number(x: float) -> str:
    return f"{x + 0.0:.3g}".replace("-", "−")
