"""The notebook that is graded: the reference's cells, with a student's exercises and added cells in their places.

Whatever a student changed in other cells does not count: probes and set-up come from the source. Checks and demos are
left out: they carry no points, and what they say was for the student.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..author.cells import Cell, Notebook, solved
from .nbval_plugin import Task
from .submission import StudentCell

BEGIN = "from minitorch_course import draw, show; draw.begin({name!r})\n"
RUN = ("setup", "exercise", "hidden-test")


@dataclass(frozen=True)
class Merged:
    """The tasks to run, and the code of each exercise that there is a cell of."""

    tasks: tuple[Task, ...]
    exercises: Mapping[str, str]


def reference(notebook: Notebook) -> list[Task]:
    """The reference as it is run for the key."""
    return [_task(cell, solved(cell.source)) for cell in notebook.of(*RUN)]


def dry_run_cells(notebook: Notebook) -> list[Task]:
    """The reference as if it were a student's."""
    return [_task(cell, _for_students(cell)) for cell in notebook.of(*RUN)]


def merge(notebook: Notebook, cells: Sequence[StudentCell]) -> Merged:
    """The notebook with a student's cells, matched by id, or by the exercise that their metadata name."""
    theirs = _exercises(notebook, cells)
    before, after = _others(notebook, cells, [id(cell) for cell in theirs.values()])
    tasks = [Task(f"added {i}", "added", source) for i, source in enumerate(after[""])]
    for cell in notebook.cells:
        for i, source in enumerate(before[cell.name]):
            tasks.append(Task(f"changed {cell.name} {i}", "added", source))
        if cell.kind == "exercise" and cell.name in theirs:
            tasks.append(_task(cell, theirs[cell.name].source))
        elif cell.kind in ("setup", "hidden-test"):
            tasks.append(_task(cell, _for_students(cell)))
        for i, source in enumerate(after[cell.name]):
            tasks.append(Task(f"added {cell.name} {i}", "added", source))
    return Merged(tuple(tasks), {name: cell.source for name, cell in theirs.items()})


def _task(cell: Cell, source: str) -> Task:
    return Task(cell.name, cell.kind, BEGIN.format(name=cell.name) + source if cell.kind == "hidden-test" else source)


def _for_students(cell: Cell) -> str:
    """A probe without the messages and values of mistakes, which only the key needs."""
    if cell.kind != "hidden-test":
        return solved(cell.source)
    tree = ast.parse(cell.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "show":
            node.args, node.keywords = node.args[:1], []
    return ast.unparse(tree)


def _exercises(notebook: Notebook, cells: Sequence[StudentCell]) -> dict[str, StudentCell]:
    """The cell of each exercise: the first of its id, else the first that its metadata call so."""
    code, known = [cell for cell in cells if cell.code], {cell.name for cell in notebook.cells}
    found = {}
    for name in (cell.name for cell in notebook.of("exercise")):
        by_id = (cell for cell in code if cell.id == name)
        by_metadata = (cell for cell in code if cell.exercise == name and cell.id not in known)
        if cell := next(by_id, next(by_metadata, None)):
            found[name] = cell
    return found


def _others(
    notebook: Notebook, cells: Sequence[StudentCell], taken: Sequence[int]
) -> tuple[defaultdict[str, list[str]], defaultdict[str, list[str]]]:
    """Code that a student added: by the cell of the reference that it stands before, and that it stands after.

    A set-up cell that was changed counts as added before the original, which so has the last word on its names. A cell
    whose id was lost is known by its text.
    """
    known = {cell.name: cell for cell in notebook.cells}
    by_text = {solved(cell.source).strip(): cell for cell in notebook.of("setup", "check", "demo")}
    before: defaultdict[str, list[str]] = defaultdict(list)
    after: defaultdict[str, list[str]] = defaultdict(list)
    last = ""
    for cell in cells:
        original = known.get(cell.id) or (by_text.get(cell.source.strip()) if cell.code else None)
        if id(cell) in taken:
            last = cell.exercise if cell.exercise in known and original is None else cell.id
        elif original is not None and original.kind != "exercise":
            last = original.name
            if original.kind == "setup" and cell.code and cell.source.strip() != solved(original.source).strip():
                before[last].append(cell.source)
        elif cell.code and cell.source.strip():
            after[last].append(cell.source)
    return before, after
