"""Flag near-identical submissions for manual review. They do not change points.

Submissions are compared by n-grams of their syntax trees, so that names, comments and layout do not count. N-grams of
the reference, and those that a large part of the class shares, are ignored: a short exercise has few solutions.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

N = 8  # nodes of a syntax tree in an n-gram
MIN_NGRAMS = 30  # A submission with fewer n-grams of its own is not compared.
COMMON = 0.15  # An n-gram that a larger part of the class has is ignored.
THRESHOLD = 0.8  # of the Jaccard similarity


def fingerprint(sources: Iterable[str]) -> list[str]:
    """Return hashes of the n-grams of syntax in some cells; none for cells that do not parse."""
    ngrams: set[str] = set()
    for source in sources:
        nodes = _nodes(source)
        ngrams |= {"".join(nodes[i : i + N]) for i in range(len(nodes) - N + 1)}
    return sorted(hashlib.sha256(ngram.encode("utf-8", "surrogatepass")).hexdigest()[:12] for ngram in ngrams)


def _nodes(source: str) -> list[str]:
    try:
        return [*_walk(ast.parse(source))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _walk(node: ast.AST) -> Iterator[str]:
    """Yield the kinds of nodes in order; attributes, keyword arguments and constants with their names or values."""
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


def similar_submissions(
    fingerprints: Mapping[str, Collection[str]], common: Collection[str]
) -> dict[str, list[tuple[str, int]]]:
    """Return for each student the similar submissions, with their similarity in percent.

    Args:
      fingerprints: the fingerprint of each student.
      common: the fingerprint of the reference and of the released notebook.
    """
    counts = Counter(ngram for ngrams in fingerprints.values() for ngram in ngrams)
    most = max(3, COMMON * len(fingerprints))
    own = {
        student: {ngram for ngram in ngrams if ngram not in common and counts[ngram] <= most}
        for student, ngrams in fingerprints.items()
    }
    found: dict[str, list[tuple[str, int]]] = {student: [] for student in fingerprints}
    for a, b in combinations([student for student in own if len(own[student]) >= MIN_NGRAMS], 2):
        similarity = len(own[a] & own[b]) / len(own[a] | own[b])
        if similarity >= THRESHOLD:
            found[a].append((b, round(100 * similarity)))
            found[b].append((a, round(100 * similarity)))
    return found
