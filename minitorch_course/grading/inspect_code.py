"""What a submission's code uses that it may not: the exercises that lose points, the remarks, and the cells to run.

This is decided outside of the student's process, from the text, so that no code can change it. An exercise that forbids
functions loses its points for using one, and for the means of reaching one by a string (`forbidden.reflection`). Of
added cells, the statements that do so are not run. All of it is a remark for people, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .._ipynb import as_python, defined_functions
from ..author.cells import unsolved
from ..author.forbidden import (
    COMPUTED,
    UNREADABLE,
    bound_names,
    forbidden_calls,
    reflection,
    used_names,
    without_statements,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..author.cells import Notebook
    from .merge import CodeCell, MergedNotebook

Use = tuple[int, str]  # a line, and what it uses


@dataclass(frozen=True)
class Inspection:
    """The result: why exercises lose their points, remarks for the instructor, and the cells to run."""

    costs: Mapping[str, str]
    flags: Sequence[str]
    cells: Sequence[CodeCell]


@dataclass(frozen=True)
class _Found:
    """What a cell uses: functions that the notebook forbids, and means of reaching them; the code is Python."""

    code: str
    context: Sequence[str]
    calls: Sequence[Use]
    means: Sequence[Use]


def inspect_code(notebook: Notebook, merged: MergedNotebook) -> Inspection:
    """Inspect the student's cells of a merged notebook, each with the imports of the cells before it."""
    allowed = _means_of_reference(tuple(cell.source for cell in notebook.of("setup", "exercise", "hidden-test")))
    functions = {cell.name: defined_functions(unsolved(cell)) for cell in notebook.of("exercise")}
    found: dict[str, _Found] = {}
    cells, flags = [], []
    context = [cell.source for cell in notebook.of("setup")]  # Functions see the imports of later cells, too.
    for cell in merged.cells:
        if cell.kind in ("exercise", "added"):
            code = _python(cell.source)
            means = [use for use in reflection(code, context) if use[1] not in allowed and use[1] != UNREADABLE]
            calls = forbidden_calls(code, notebook.forbids, context)
            found[cell.name] = its = _Found(code, tuple(context), calls, means)
            flags += _flags(notebook, cell, its) + _redefined(cell, code, functions, merged)
            if cell.kind == "added":
                cell = _harmless(cell, its)
            context.append(code)
        cells.append(cell)
    costs = {name: cost for name in merged.exercises if (cost := _cost(notebook, name, merged, found))}
    return Inspection(costs, list(dict.fromkeys(flags)), cells)


@lru_cache(maxsize=32)
def _means_of_reference(sources: tuple[str, ...]) -> frozenset[str]:
    """Return the means that the notebook itself uses: students may use them as well."""
    return frozenset(name for source in sources for _, name in reflection(source))


def _python(source: str) -> str:
    try:
        return as_python(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source  # It does not parse either.


def _flags(notebook: Notebook, cell: CodeCell, found: _Found) -> list[str]:
    means = [(line, name) for line, name in found.means if name != COMPUTED]
    if cell.kind == "added":
        calls = [name for _, name in found.calls if name != UNREADABLE]
        return [f"an added cell calls {name}" for name in sorted(set(calls))] + [
            f"an added cell uses {name}" for name in sorted({name for _, name in means})
        ]
    return [f"{cell.name} calls {name} (line {line})" for line, name in found.calls if name != UNREADABLE] + [
        f"{cell.name} uses {name} (line {line})" for line, name in means
    ]


def _redefined(cell: CodeCell, code: str, functions: Mapping[str, set[str]], merged: MergedNotebook) -> list[str]:
    """Return a remark for each exercise whose functions a cell defines that is not its own."""
    bound, place = bound_names(code), "an added cell" if cell.kind == "added" else cell.name
    return [
        f"{place} defines {', '.join(sorted(bound & names))}"
        for exercise, names in functions.items()
        if bound & names and exercise != cell.name and merged.exercises.get(exercise) != cell.source
    ]


def _harmless(cell: CodeCell, found: _Found) -> CodeCell:
    """Return an added cell without the statements that use what is forbidden."""
    lines = [line for line, name in [*found.calls, *found.means] if name != COMPUTED]
    return replace(cell, source=without_statements(found.code, lines)) if lines else cell


def _cost(notebook: Notebook, name: str, merged: MergedNotebook, found: Mapping[str, _Found]) -> str | None:
    """Return why an exercise loses its points, if it does: for its own cell, or for the functions that it calls."""
    forbids = notebook.exercise(name).forbids
    if not forbids:
        return None
    own = found[name]
    means = [use for use in own.means if use[1] != COMPUTED]
    for line, what in sorted([*forbidden_calls(own.code, forbids, own.context), *means]):
        return f"{name} may not use {what}, as it does on line {line}."
    read = used_names(own.code)
    for other in merged.exercises:
        its = found[other]
        if its.code != own.code and read & bound_names(its.code):
            for line, what in forbidden_calls(its.code, forbids, its.context):
                return f"{name} may not use {what}, as the cell of {other} does on line {line}."
    return None
