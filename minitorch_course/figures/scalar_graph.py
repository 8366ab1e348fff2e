"""A drawing of the graph of a scalar, with the value and the gradient of each number."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from minitorch._palette import BLUE, GRAY, INK, PALE_GRAY, PAPER

from .graph_layout import HEIGHT, Arrow, columns, heights, make_arrow, room
from .svg import Drawing

if TYPE_CHECKING:
    from minitorch.autodiff.scalar import Scalar

WIDTH, STEP = 128, 176  # Pixels: a box, from column to column.
PORT, TIP, MARGIN = 18, 8, 20
_RULES = f"""
text {{ font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: {GRAY}; }}
.title {{ font-size: 15px; font-weight: 600; fill: {INK}; text-anchor: middle; }}
.number {{ font-weight: 600; text-anchor: end; font-variant-numeric: tabular-nums; }}
.value {{ fill: {BLUE}; }}
.grad {{ fill: #c04f00; }}
.paper {{ fill: {PAPER}; }}
.box {{ fill: {PAPER}; stroke: {INK}; stroke-width: 1.2; }}
.given {{ fill: #fdf3d8; }}
.line {{ fill: none; stroke: {PALE_GRAY}; stroke-width: 1.6; }}
.tip {{ fill: {PALE_GRAY}; }}
"""
STYLE = "\n".join(f".scalars {rule}" for rule in _RULES.split("\n") if rule)  # Only inside the drawing.


def draw_scalar_graph(y: Scalar) -> Drawing:
    """Draw all numbers that `y` was computed from, with their values and gradients.

    Call `y.backward()` first.
    """
    nodes = y.graph()
    column = columns(nodes)
    arrows = [make_arrow(node, i, column, PORT) for node in nodes for i in range(len(node.parents))]
    height = heights(column, arrows)
    top = min(h - room(p) for p, h in height.items())
    depth = max(h + room(p) for p, h in height.items()) - top + MARGIN
    width = STEP * max(column.values()) + WIDTH + 2 * MARGIN
    at = {p: (float(MARGIN + STEP * column[p]), MARGIN / 2 + h - top) for p, h in height.items()}
    shapes = [_path(arrow, at) for arrow in arrows] + [_box(node, *at[node]) for node in nodes]
    title = f"How {y!r} was computed"
    return Drawing(
        f'<svg class="scalars" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {depth:.0f}"'
        f' width="{width:.0f}" height="{depth:.0f}"><title>{escape(title)}</title>'
        f'<style>{STYLE}</style><rect class="paper" width="100%" height="100%" rx="8"/>\n{"".join(shapes)}</svg>',
        title,
    )


def to_dot(y: Scalar) -> str:
    """Return the same graph in Graphviz's DOT language."""
    nodes = y.graph()
    boxes = [f'n{n.number} [label="{n.name}\\nvalue {n.value:.4g}\\ngrad {n.grad:.4g}"]' for n in nodes]
    arrows = [f"n{parent.number} -> n{n.number}" for n in nodes for parent in n.parents]
    return "\n".join(["digraph {", "rankdir=LR", "node [shape=box style=rounded]", *boxes, *arrows, "}"])


def _path(arrow: Arrow, at: dict[Any, tuple[float, float]]) -> str:
    """Return a smooth line from the right of the first box to the left of the last box, horizontal in columns."""
    x, y = at[arrow.route[0]]
    x += WIDTH
    line = f"M{x:.1f} {y:.1f}"
    for p in arrow.route[1:]:
        to_x, to_y = at[p]
        ends = p is arrow.route[-1]
        to_x, to_y = (to_x - TIP, to_y + arrow.port) if ends else (to_x, to_y)
        middle = (x + to_x) / 2
        line += f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = (to_x, to_y) if ends else (to_x + WIDTH, to_y)
        line += f"H{x:.1f}"
    tip = f"M{x:.1f} {y - TIP / 2:.1f}l{TIP} {TIP / 2}l-{TIP} {TIP / 2}z"
    return f'<path class="line" d="{line}"/><path class="tip" d="{tip}"/>'


def _box(node: Scalar, x: float, y: float) -> str:
    left, right = x + 10, x + WIDTH - 10
    kind = "box" if node.parents else "box given"
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y - HEIGHT / 2:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="9"/>'
        f'<text class="title" x="{x + WIDTH / 2:.1f}" y="{y - 13:.1f}">{escape(node.name or "constant")}</text>'
        f'<text x="{left:.1f}" y="{y + 6:.1f}">value</text>'
        f'<text class="number value" x="{right:.1f}" y="{y + 6:.1f}">{_number(node.value)}</text>'
        f'<text x="{left:.1f}" y="{y + 23:.1f}">grad</text>'
        f'<text class="number grad" x="{right:.1f}" y="{y + 23:.1f}">{_number(node.grad)}</text>'
    )


def _number(x: float) -> str:
    return f"{x + 0.0:.4g}".replace("-", "−")
