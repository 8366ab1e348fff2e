"""Which submissions are nearly the same: for people to look at, not for points.

Names, comments and layout do not count. Of each submission the runs of syntax in it are taken, without those that the
reference or a large part of the class has as well, since short exercises have few ways of being solved.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations

RUN = 8  # nodes of a syntax tree
FEWEST = 30  # runs of one's own, below which there is too little to compare
COMMON = 0.15  # the part of a class that may share a run
ALIKE = 0.8


def fingerprint(sources: Iterable[str]) -> list[str]:
    """The runs of syntax in some cells, as hashes; none of cells that do not parse."""
    runs: set[str] = set()
    for source in sources:
        nodes = _nodes(source)
        runs |= {"".join(nodes[i : i + RUN]) for i in range(len(nodes) - RUN + 1)}
    return sorted(hashlib.sha256(run.encode("utf-8", "surrogatepass")).hexdigest()[:12] for run in runs)


def _nodes(source: str) -> list[str]:
    try:
        return [*_walk(ast.parse(source))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _walk(node: ast.AST) -> Iterator[str]:
    """The kinds of nodes in order; of attributes, arguments given by name and constants also what they are."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # A docstring.
    match node:
        case ast.Attribute(attr=text) | ast.keyword(arg=text) | ast.Constant(value=text):
            yield f"{type(node).__name__} {text!r};"
        case ast.expr_context():
            return
        case _:
            yield f"{type(node).__name__};"
    for child in ast.iter_child_nodes(node):
        yield from _walk(child)


def alike(fingerprints: Mapping[str, Collection[str]], common: Collection[str]) -> dict[str, list[tuple[str, int]]]:
    """For each student the others whose work is nearly the same, and how nearly, in percent.

    Args:
      fingerprints: of each student.
      common: the fingerprint of the reference, and of what students were given.
    """
    counts = Counter(run for runs in fingerprints.values() for run in runs)
    most = max(3, COMMON * len(fingerprints))
    own = {
        student: {run for run in runs if run not in common and counts[run] <= most}
        for student, runs in fingerprints.items()
    }
    found: dict[str, list[tuple[str, int]]] = {student: [] for student in fingerprints}
    for a, b in combinations([student for student in own if len(own[student]) >= FEWEST], 2):
        likeness = len(own[a] & own[b]) / len(own[a] | own[b])
        if likeness >= ALIKE:
            found[a].append((b, round(100 * likeness)))
            found[b].append((a, round(100 * likeness)))
    return found
