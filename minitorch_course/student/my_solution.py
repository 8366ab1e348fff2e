"""`my_solution`: a student's own implementation from an earlier notebook, for use in a later one."""

from __future__ import annotations

import contextlib
import io
import os
import symtable
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..notebook.check import CHECKED
from ..notebook.display import Bundle, listen
from .homework import Cell, Exercise, exercises, read_cells, released_names


def my_solution(exercise: str, otherwise: Any) -> Any:
    """The student's own implementation of an exercise, from a notebook in this folder, if it passes its checks there;
    else `otherwise`.

    Prints which. Only the exercise's cell runs, and what it needs of the cells around it. While grading, and in the
    course's own notebooks, it is always `otherwise`.
    """
    value, origin = _find(exercise, otherwise)
    print(f"{exercise}: {origin}")
    return value


def _find(name: str, otherwise: Any) -> tuple[Any, str]:
    for path, task in _written_in_this_folder(name):
        if task.cell is None or not task.written:
            return otherwise, f"the library's (yours is not written yet in {path.stem})"
        value = _implementation(path, task, task.cell)
        if value is not None:
            return value, f"yours, from {path.stem}"
        return otherwise, f"the library's (yours does not pass its checks yet in {path.stem})"
    return otherwise, "the library's"


def _written_in_this_folder(name: str) -> Iterator[tuple[Path, Exercise]]:
    """The exercise in the student's notebooks, of which none holds a probe."""
    if "MINITORCH_REPORT" in os.environ:
        return
    for path in (Path(f"{notebook}.ipynb") for notebook in released_names()):
        with contextlib.suppress(OSError, ValueError):
            if all(cell.kind != "hidden-test" for cell in read_cells(path)):
                yield from ((path, task) for task in exercises(path) if task.name == name)


def _implementation(path: Path, task: Exercise, cell: Cell) -> Any:
    """What the exercise's cell defines; None if it does not pass its checks."""
    from .progress import State, recall, remember  # Slow to import, and not needed while grading.

    known = recall(path, task)
    if known and known.done is False:
        return None
    namespace, bundles = _run(needed(read_cells(path), [cell] if known else [cell, *task.checks]))
    if not known:
        verdicts = [bundle[CHECKED]["passed"] for bundle in bundles if CHECKED in bundle]
        done = bool(verdicts) and all(verdicts)
        remember(path, [(task, State(task.name, task.released.stretch, done, "" if done else "a check does not pass"))])
        if not done:
            return None
    return namespace.get(_main_name(cell))


def _main_name(cell: Cell) -> str:
    """Of what a cell defines, that which is called like the exercise; else the last."""
    defined = _names(cell)[0]
    name = cell.exercise.replace("-", "_")
    return name if name in defined or not defined else defined[-1]


def needed(cells: Sequence[Cell], wanted: Iterable[Cell]) -> list[Cell]:
    """The cells wanted and those that define what they use, and so on, in the notebook's order."""
    chosen = {cell.name: cell for cell in wanted}
    waiting = list(chosen.values())
    while waiting:
        used = _names(waiting.pop())[1]
        for cell in cells:
            if cell.kind in ("setup", "exercise") and cell.name not in chosen and used & set(_names(cell)[0]):
                chosen[cell.name] = cell
                waiting.append(cell)
    return [cell for cell in cells if cell.name in chosen]


def _names(cell: Cell) -> tuple[list[str], set[str]]:
    """The names that a cell defines, and those that it uses from outside; none if it is not Python (a `%magic`)."""
    try:
        table = symtable.symtable(cell.source, cell.name, "exec")
    except (SyntaxError, ValueError):
        return [], set()
    defined = [s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()]
    return defined, {s.get_name() for s in table.get_symbols() if s.is_referenced()} | _globals_in(table)


def _globals_in(table: symtable.SymbolTable) -> set[str]:
    used = set()
    for inner in table.get_children():
        used |= {s.get_name() for s in inner.get_symbols() if s.is_global()} | _globals_in(inner)
    return used


def _run(cells: Iterable[Cell]) -> tuple[dict[str, Any], list[Bundle]]:
    """Execute cells quietly in a namespace of their own. One that fails does not stop the next."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    bundles: list[Bundle] = []
    with listen(bundles.append), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for cell in cells:
            with contextlib.suppress(Exception, SystemExit):
                exec(compile(cell.source, f"<{cell.name}>", "exec"), namespace)
    return namespace, bundles
