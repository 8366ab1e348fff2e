"""Flag near-identical submissions for manual review. They do not change points.

Submissions are compared by n-grams of their syntax trees, so that names, comments and layout do not count, nor which
cell holds the code. What the release gives is ignored.

A short exercise has few solutions, so what the reference or much of the class has says nothing about two students.
But a large ring is itself much of a class: groups that share a large part of a notebook are found first, and each
counts once where it is decided what is common.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from .._ipynb import as_python

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

N = 8  # nodes of a syntax tree in an n-gram
MAX_NGRAMS = 5000  # of a submission: those with the smallest hashes, so that two submissions keep the same ones
MIN_NGRAMS = 50  # A submission with fewer n-grams of its own is not compared.
COMMON = 0.15  # An n-gram that a larger part of the class has is ignored.
THRESHOLD = 0.8  # part of the smaller submission that the other has, too
SIZES = 0.6  # A submission that is a smaller part of the other counts as one of that size.
MIN_GROUP, GROUP_SHARE = (
    150,
    0.25,
)  # n-grams that a group shares: at least this number, and this part of the reference's
REFERENCE, MIN_REFERENCE = 0.9, 100  # of a submission's n-grams, and their number, to be flagged as the reference's


def fingerprint(sources: Iterable[str]) -> list[str]:
    """Return hashes of the n-grams of syntax in some cells; none for cells that do not parse as IPython reads them."""
    ngrams: set[str] = set()
    for source in sources:
        nodes = _nodes(source)
        ngrams |= {"".join(nodes[i : i + N]) for i in range(len(nodes) - N + 1)}
    hashes = (hashlib.sha256(ngram.encode("utf-8", "surrogatepass")).hexdigest()[:12] for ngram in ngrams)
    return sorted(hashes)[:MAX_NGRAMS]


def _nodes(source: str) -> list[str]:
    try:
        return [node for statement in ast.parse(as_python(source)).body for node in _walk(statement)]
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


class Class:
    """The fingerprints of a class, without what the release gives.

    Args:
      fingerprints: the fingerprint of each student.
      released: the fingerprint of the released notebook.
      reference: the fingerprint of the solution, which is public.
    """

    def __init__(
        self, fingerprints: Mapping[str, Collection[str]], released: Collection[str], reference: Collection[str]
    ):
        given = set(released)
        self.reference = set(reference) - given
        self.written = {student: set(ngrams) - given for student, ngrams in fingerprints.items()}

    def like_reference(self) -> dict[str, int]:
        """Return the students whose code is nearly all the reference's, with that part in percent."""
        parts = {
            student: len(ngrams & self.reference) / len(ngrams)
            for student, ngrams in self.written.items()
            if len(ngrams) >= MIN_REFERENCE
        }
        return {student: round(100 * part) for student, part in parts.items() if part >= REFERENCE}

    def similar(self) -> dict[str, list[tuple[str, int]]]:
        """Return for each student the similar submissions, with their similarity in percent."""
        own = {student: ngrams - self.reference for student, ngrams in self.written.items()}
        pairs = _similar_pairs(own, max(MIN_GROUP, GROUP_SHARE * len(self.reference)))
        pairs |= _similar_pairs(_without_common(own, _groups(own, pairs)), MIN_NGRAMS)
        found: dict[str, list[tuple[str, int]]] = {student: [] for student in own}
        for (a, b), similarity in sorted(pairs.items()):
            found[a].append((b, round(100 * similarity)))
            found[b].append((a, round(100 * similarity)))
        return found


def _similar_pairs(ngrams: Mapping[str, set[str]], least: float) -> dict[tuple[str, str], float]:
    """Return the similar pairs of students who have `least` n-grams or more. Code added to a copy does not hide it."""
    found = {}
    for a, b in combinations([student for student in ngrams if len(ngrams[student]) >= least], 2):
        smaller, larger = sorted((len(ngrams[a]), len(ngrams[b])))
        similarity = len(ngrams[a] & ngrams[b]) / max(smaller, SIZES * larger)
        if similarity >= THRESHOLD:
            found[a, b] = similarity
    return found


def _groups(students: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Return the students in groups that pairs connect."""
    groups = {student: {student} for student in students}
    for a, b in pairs:
        if groups[a] is not groups[b]:
            groups[a] |= groups[b]
            groups |= dict.fromkeys(groups[b], groups[a])
    return list({id(group): group for group in groups.values()}.values())


def _without_common(ngrams: Mapping[str, set[str]], groups: Collection[set[str]]) -> dict[str, set[str]]:
    """Leave out the n-grams that much of the class has, where a group counts once."""
    counts = Counter(ngram for group in groups for ngram in set().union(*(ngrams[student] for student in group)))
    most = max(3, COMMON * len(groups))
    return {student: {ngram for ngram in own if counts[ngram] <= most} for student, own in ngrams.items()}
