"""The notebook that is graded: the reference's cells, with a student's exercises and added cells in their places.

Changes of other cells have no effect: hidden tests and set-up come from the source. Checks and demos are left out: they
carry no points, and their messages were for the student.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._ipynb import find_exercises
from ..author.cells import Cell, Notebook, solved, unsolved
from ..author.hidden_test_code import code_for_key, code_for_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .._ipynb import StudentCell

KINDS = ("setup", "exercise", "hidden-test")


@dataclass(frozen=True)
class CodeCell:
    """A cell to run. `kind` is setup, exercise, added or hidden-test."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True)
class MergedNotebook:
    """The cells to run, and the student's code by the name of its exercise."""

    cells: tuple[CodeCell, ...]
    exercises: Mapping[str, str]


def reference_cells(notebook: Notebook) -> list[CodeCell]:
    """Return the cells of the reference as they run for the answer key."""
    return [_code_cell(cell, code_for_key) for cell in notebook.of(*KINDS)]


def dry_run_cells(notebook: Notebook) -> list[CodeCell]:
    """Return the cells of the reference as they run in a submission."""
    return [_code_cell(cell, code_for_submission) for cell in notebook.of(*KINDS)]


def merge(notebook: Notebook, cells: Sequence[StudentCell]) -> MergedNotebook:
    """Merge a student's cells into the notebook."""
    stubs = {cell.name: unsolved(cell) for cell in notebook.of("exercise")}
    others = [solved(cell.source) for cell in notebook.cells if cell.kind != "exercise"]
    theirs = find_exercises(stubs, others, [cell.name for cell in notebook.cells], cells)
    before, after = _added(notebook, cells, {id(cell): name for name, cell in theirs.items()})
    merged = [CodeCell(f"added {i}", "added", source) for i, source in enumerate(after[""])]
    for cell in notebook.cells:
        for i, source in enumerate(before[cell.name]):
            merged.append(CodeCell(f"changed {cell.name} {i}", "added", source))
        if cell.kind == "exercise" and cell.name in theirs:
            merged.append(CodeCell(cell.name, cell.kind, theirs[cell.name].source))
        elif cell.kind in ("setup", "hidden-test"):
            merged.append(_code_cell(cell, code_for_submission))
        for i, source in enumerate(after[cell.name]):
            merged.append(CodeCell(f"added {cell.name} {i}", "added", source))
    return MergedNotebook(tuple(merged), {name: cell.source for name, cell in theirs.items()})


def _code_cell(cell: Cell, test_code: Callable[[Cell], str]) -> CodeCell:
    return CodeCell(cell.name, cell.kind, test_code(cell) if cell.kind == "hidden-test" else solved(cell.source))


def _added(
    notebook: Notebook, cells: Sequence[StudentCell], taken: Mapping[int, str]
) -> tuple[defaultdict[str, list[str]], defaultdict[str, list[str]]]:
    """Return the code that a student added: by the reference's cell that it stands before, and that it stands after.

    A changed set-up cell counts as added before the original, so that the original decides what its names mean. A cell
    that lost its id is found by its text.
    """
    known = {cell.name: cell for cell in notebook.cells}
    by_text = {solved(cell.source).strip(): cell for cell in notebook.of("setup", "check", "demo")}
    before: defaultdict[str, list[str]] = defaultdict(list)
    after: defaultdict[str, list[str]] = defaultdict(list)
    last = ""
    for cell in cells:
        original = known.get(cell.id) or (by_text.get(cell.source.strip()) if cell.code else None)
        if id(cell) in taken:
            last = taken[id(cell)]
        elif original is not None and original.kind != "exercise":
            last = original.name
            if original.kind == "setup" and cell.code and cell.source.strip() != solved(original.source).strip():
                before[last].append(cell.source)
        elif cell.code and cell.source.strip():
            after[last].append(cell.source)
    return before, after
