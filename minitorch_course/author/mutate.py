"""Mutants: small edits of a reference solution. Each must lose points, or the hidden tests are too weak.

A mutant that loses nothing is a mistake that no test would notice: a sign, an axis, an off-by-one. See R. DeMillo,
R. Lipton, F. Sayward, "Hints on test data selection" (1978).
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cells import MUTANT_OK, Cell, solved
from .mutations import mutations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .runner import Runner


@dataclass(frozen=True)
class Mutant:
    """A solution with one edit. `line` counts from 0 in the cell, `source` is the whole cell."""

    line: int
    before: str
    after: str
    source: str


def mutants(cell: Cell) -> Iterator[Mutant]:
    """Yield every mutant of an exercise's solutions once, in the order of the lines.

    An optional exercise has none, since it has no points to lose.
    """
    if cell.stretch:
        return
    tree, lines = ast.parse(cell.source), cell.source.splitlines()
    seen = {cell.source}
    for node in sorted(_inside(cell, tree), key=_position):
        if any(MUTANT_OK.search(line) for line in lines[node.lineno - 1 : node.end_lineno]):
            continue
        for edit in mutations(node):
            mutant = _mutant(lines, node, edit)
            if mutant.source not in seen:
                seen.add(mutant.source)
                yield mutant


def _position(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _inside(cell: Cell, tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    """Yield the expressions and statements of the solutions, without types, docstrings and error messages."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr) or _is_docstring(node):
            continue
        stack += [child for name, child in _children(node) if name not in ("annotation", "returns", "decorator_list")]
        if isinstance(node, ast.expr | ast.stmt) and any(
            region.first < node.lineno - 1 and (node.end_lineno or 0) - 1 < region.last for region in cell.regions
        ):
            yield node


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield name, child


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _mutant(lines: Sequence[str], node: ast.expr | ast.stmt, edit: ast.expr | ast.stmt) -> Mutant:
    after = ast.unparse(ast.fix_missing_locations(copy.deepcopy(edit)))
    placed = f"({after})" if isinstance(edit, ast.expr) else after
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first].encode()[: node.col_offset].decode()
    tail = lines[last].encode()[node.end_col_offset :].decode()
    source = "\n".join([*lines[:first], head + placed + tail, *lines[last + 1 :]])
    before = " ".join(line.strip() for line in lines[first : last + 1])
    return Mutant(first, before, (head + placed + tail).strip(), solved(source))


def problems_of_mutant(exercise: Cell, mutant: Mutant, runner: Runner) -> list[str]:
    """Return one line if a mutant loses no points."""
    if runner.first_failed_test(exercise.name, mutant.source):
        return []
    line, edit = exercise.line + mutant.line, f"{mutant.before}  ->  {mutant.after}"
    return [f"{runner.notebook.path}:{line}: a mutant of {exercise.name!r} loses no points: {edit}"]
