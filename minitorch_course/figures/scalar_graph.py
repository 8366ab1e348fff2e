"""A picture of the graph of a scalar, inputs on the left and the result on the right.

The layout is Sugiyama's (1981) in small: a column for each step of the computation; where an arrow crosses a column, an
invisible node; then every node is drawn toward those it is joined to, as far as the others in its column allow.
"""

from __future__ import annotations

import math
from collections import defaultdict
from html import escape
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from minitorch.autodiff.scalar import Scalar

WIDTH, HEIGHT, STEP, GAP = 128, 64, 176, 18  # Pixels: a box, from column to column, from box to box.
PORT, TIP, MARGIN = 18, 8, 20
# The two colours of the numbers are from Okabe and Ito's palette, which the colour-blind can tell apart.
_RULES = """
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #5b6875; }
.title { font-size: 15px; font-weight: 600; fill: #1f2933; text-anchor: middle; }
.number { font-weight: 600; text-anchor: end; font-variant-numeric: tabular-nums; }
.value { fill: #0072b2; }
.grad { fill: #c04f00; }
.paper { fill: #ffffff; }
.box { fill: #ffffff; stroke: #1f2933; stroke-width: 1.2; }
.given { fill: #fdf3d8; }
.line { fill: none; stroke: #8a97a6; stroke-width: 1.6; }
.tip { fill: #8a97a6; }
"""
STYLE = "\n".join(f".scalars {rule}" for rule in _RULES.split("\n") if rule)  # Not the rest of the notebook's page.


class Picture(str):
    """SVG source that a notebook shows as a picture."""

    def _repr_svg_(self) -> str:
        return str(self)


class Arrow(NamedTuple):
    """From a number to one computed from it: the nodes on the way, and how far from the middle it arrives."""

    route: list[Any]  # A scalar, an invisible node (a tuple) for each column crossed, a scalar.
    port: float


def draw(y: Scalar) -> Picture:
    """All numbers that `y` was computed from, with their values and gradients; call `y.backward()` first."""
    nodes = y.graph()
    column = _columns(nodes)
    arrows = [_arrow(node, i, column) for node in nodes for i in range(len(node.parents))]
    height = _heights(column, arrows)
    top = min(h - _room(p) for p, h in height.items())
    depth = max(h + _room(p) for p, h in height.items()) - top + MARGIN
    width = STEP * max(column.values()) + WIDTH + 2 * MARGIN
    at = {p: (float(MARGIN + STEP * column[p]), MARGIN / 2 + h - top) for p, h in height.items()}
    shapes = [_path(arrow, at) for arrow in arrows] + [_box(node, *at[node]) for node in nodes]
    return Picture(
        f'<svg class="scalars" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {depth:.0f}"'
        f' width="{width:.0f}" height="{depth:.0f}"><title>How {escape(repr(y))} was computed</title>'
        f'<style>{STYLE}</style><rect class="paper" width="100%" height="100%" rx="8"/>\n{"".join(shapes)}</svg>'
    )


def dot(y: Scalar) -> str:
    """The same graph in Graphviz's language."""
    nodes = y.graph()
    boxes = [f'n{n.number} [label="{n.name}\\nvalue {n.value:.4g}\\ngrad {n.grad:.4g}"]' for n in nodes]
    arrows = [f"n{parent.number} -> n{n.number}" for n in nodes for parent in n.parents]
    return "\n".join(["digraph {", "rankdir=LR", "node [shape=box style=rounded]", *boxes, *arrows, "}"])


def _columns(nodes: list[Scalar]) -> dict[Any, int]:
    """The column of each number: after all its parents; where it has none, just before the first that uses it."""
    column: dict[Any, int] = {}
    used_in: dict[Any, list[int]] = defaultdict(list)
    for node in nodes:
        column[node] = 1 + max((column[p] for p in node.parents), default=-1)
        for p in node.parents:
            used_in[p].append(column[node])
    return column | {node: min(columns) - 1 for node, columns in used_in.items() if not node.parents}


def _arrow(end: Scalar, i: int, column: dict[Any, int]) -> Arrow:
    """The arrow from parent `i` of `end`. Its invisible nodes are entered in `column`."""
    start = end.parents[i]
    crossed = {(end, i, c): c for c in range(column[start] + 1, column[end])}
    column.update(crossed)
    return Arrow([start, *crossed, end], (i - (len(end.parents) - 1) / 2) * PORT)


def _heights(column: dict[Any, int], arrows: list[Arrow]) -> dict[Any, float]:
    """The vertical place of each node.

    Once from right to left, which puts a tree in order without a crossing; then, in that order, column by column and
    many times, each node is drawn to the mean of those that it is joined to.
    """
    before, after = defaultdict(list), defaultdict(list)
    for route, port in arrows:
        for p, q in pairwise(route):
            offset = port if q is route[-1] else 0.0
            after[p].append((q, offset))
            before[q].append((p, -offset))
    columns: dict[int, list[Any]] = defaultdict(list)
    for p, c in column.items():
        columns[c].append(p)
    height: dict[Any, float] = {}
    order = [columns[c] for c in sorted(columns, reverse=True)]
    for nodes in order:
        wish = {p: _mean(after[p], height) for p in nodes}
        nodes.sort(key=wish.__getitem__)
        height |= _kept_apart(nodes, wish)
    for nodes in (order[::-1] + order) * 10:
        height |= _kept_apart(nodes, {p: _mean(before[p] + after[p], height) for p in nodes})
    return height


def _mean(joined: list[tuple[Any, float]], height: dict[Any, float]) -> float:
    return fmean([height[p] + offset for p, offset in joined] or [0.0])


def _kept_apart(nodes: list[Any], wish: dict[Any, float]) -> dict[Any, float]:
    """Heights near the wishes, in the order of `nodes`, that leave each node its room."""
    height, edge = {}, -math.inf
    for p in nodes:
        height[p] = max(wish[p], edge + _room(p))
        edge = height[p] + _room(p)
    shift = fmean(wish[p] - height[p] for p in nodes)
    return {p: h + shift for p, h in height.items()}


def _room(p: Any) -> float:
    """Half of the height that a node needs, less for an invisible one."""
    return PORT / 2 if isinstance(p, tuple) else (HEIGHT + GAP) / 2


def _path(arrow: Arrow, at: dict[Any, tuple[float, float]]) -> str:
    """A smooth line from the right of the first box, level across each column, to the left of the last box."""
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
