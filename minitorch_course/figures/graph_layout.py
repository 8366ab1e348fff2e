"""Layout of a graph of scalars, inputs on the left and the result on the right.

A small version of the method of Sugiyama et al. (1981): one column per step of the computation, an invisible node where
an arrow crosses a column, and repeated passes that move every node towards its neighbours.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from minitorch.autodiff.scalar import Scalar

HEIGHT, GAP, HIDDEN = 64, 18, 18  # Pixels: a node, between two nodes, an invisible node.


class Arrow(NamedTuple):
    """An arrow from a number to one that was computed from it.

    Attributes:
      route: a scalar, an invisible node (a tuple) for each column crossed, a scalar.
      port: vertical offset at the end, from the middle of the node.
    """

    route: list[Any]
    port: float


def columns(nodes: list[Scalar]) -> dict[Any, int]:
    """Return the column of each number: after all its parents, or without parents, just before its first use."""
    column: dict[Any, int] = {}
    used_in: dict[Any, list[int]] = defaultdict(list)
    for node in nodes:
        column[node] = 1 + max((column[p] for p in node.parents), default=-1)
        for p in node.parents:
            used_in[p].append(column[node])
    return column | {node: min(columns) - 1 for node, columns in used_in.items() if not node.parents}


def make_arrow(end: Scalar, i: int, column: dict[Any, int], port: float) -> Arrow:
    """Return the arrow from parent `i` of `end`, and add its invisible nodes to `column`.

    `port` is the vertical distance between two arrows into the same node.
    """
    start = end.parents[i]
    crossed = {(end, i, c): c for c in range(column[start] + 1, column[end])}
    column.update(crossed)
    return Arrow([start, *crossed, end], (i - (len(end.parents) - 1) / 2) * port)


def heights(column: dict[Any, int], arrows: list[Arrow]) -> dict[Any, float]:
    """Return the vertical position of each node.

    One pass from right to left orders a tree without crossings. Further passes keep that order, and move each node
    towards the mean of its neighbours, column by column.
    """
    before, after = defaultdict(list), defaultdict(list)
    for route, port in arrows:
        for p, q in pairwise(route):
            offset = port if q is route[-1] else 0.0
            after[p].append((q, offset))
            before[q].append((p, -offset))
    in_column: dict[int, list[Any]] = defaultdict(list)
    for p, c in column.items():
        in_column[c].append(p)
    height: dict[Any, float] = {}
    order = [in_column[c] for c in sorted(in_column, reverse=True)]
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
    """Return heights near the wishes, in the order of `nodes`, such that no two nodes overlap."""
    height, edge = {}, -math.inf
    for p in nodes:
        height[p] = max(wish[p], edge + room(p))
        edge = height[p] + room(p)
    shift = fmean(wish[p] - height[p] for p in nodes)
    return {p: h + shift for p, h in height.items()}


def room(p: Any) -> float:
    """Return half of the height that a node needs; an invisible node needs less."""
    return HIDDEN / 2 if isinstance(p, tuple) else (HEIGHT + GAP) / 2
