"""A student's notebook as a file: its exercises, their cells, and the results of checks in its saved outputs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from minitorch._suggest import did_you_mean

from .._ipynb import StudentCell, find_exercises, parse_ipynb
from .._packages import data_folder
from ..notebook.check import CHECKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RELEASED = data_folder("released", "notebooks/released")


def released_names() -> list[str]:
    """Return the names of the course's notebooks, in order."""
    return sorted(path.stem for path in RELEASED.glob("*.ipynb"))


def released_path(name: str) -> Path:
    """Return the path of the released notebook `name`."""
    return RELEASED / f"{name}.ipynb"


def find_name(wanted: str) -> str:
    """Return the name of the notebook `wanted`, given as `02_autodiff` or `02`.

    Raises:
      ValueError: the notebook does not exist. The message lists those that do.
    """
    names = released_names()
    found = [name for name in names if wanted in (name, name.partition("_")[0])]
    if not found:
        raise ValueError(
            f"No notebook is called {wanted!r}. There are: {', '.join(names)}.{did_you_mean(wanted, names)}"
        )
    return found[0]


@dataclass(frozen=True)
class NotebookCell(StudentCell):
    """A code cell of a student's notebook, or a check of the release that is missing there (`restored`)."""

    restored: bool = False

    @property
    def digest(self) -> str:
        """A hash of the code, which changes with it."""
        return hashlib.sha256(self.source.strip().encode("utf-8")).hexdigest()

    @property
    def checked(self) -> list[dict[str, Any]]:
        """The results of `check` in the saved outputs."""
        return check_results(self.outputs)


def read_cells(path: Path) -> list[NotebookCell]:
    """Read the code cells of a notebook. Each gets an id that no other has.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is not a notebook.
    """
    try:
        code = [cell for cell in parse_ipynb(path.read_bytes()) if cell.code]
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a notebook. {error}") from None
    cells, used = [], {""}
    for number, cell in enumerate(code):
        unique = cell.id if cell.id not in used else f"{cell.id}-{number}"
        used.add(unique)
        cells.append(NotebookCell(**{**vars(cell), "id": unique}))
    return cells


def check_results(outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of `check` in the outputs of a cell."""
    return [output["data"][CHECKED] for output in outputs if CHECKED in output.get("data", {})]


@dataclass(frozen=True)
class Exercise:
    """One exercise: the student's cell (None if it was deleted), the released cell, and the cells with its checks."""

    name: str
    cell: NotebookCell | None
    released: NotebookCell
    checks: list[NotebookCell]

    @property
    def written(self) -> bool:
        """Whether the student changed the released code."""
        return self.cell is not None and self.cell.digest != self.released.digest


@dataclass(frozen=True)
class Homework:
    """A student's notebook: its code cells, with the checks that are missing in their places, and its exercises."""

    cells: list[NotebookCell]
    exercises: list[Exercise]


def read_homework(path: Path) -> Homework:
    """Read a student's notebook. Exercises are in the release's order.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is not a notebook.
    """
    released = read_cells(released_path(path.stem))
    by_text = {cell.source.strip(): cell for cell in released if cell.kind != "exercise"}
    cells = [_with_kind(cell, by_text) for cell in read_cells(path)]
    stubs = {cell.exercise: cell for cell in released if cell.kind == "exercise"}
    sources = {name: stub.source for name, stub in stubs.items()}
    theirs = find_exercises(sources, list(by_text), [cell.id for cell in released], cells)
    checks: dict[str, list[NotebookCell]] = {name: [] for name in stubs}
    end = len(cells)
    for original in reversed(released):
        if original.kind == "check":
            same = [cell for cell in cells if cell.source.strip() == original.source.strip()]
            if not same:  # A changed check may check less, so the released one counts.
                same = [replace(original, restored=True)]
                cells[end:end] = same
            checks[original.exercise] = [*same, *checks[original.exercise]]
        elif original.exercise in theirs:
            end = next(i for i, cell in enumerate(cells) if cell is theirs[original.exercise])
    return Homework(cells, [Exercise(name, theirs.get(name), stub, checks[name]) for name, stub in stubs.items()])


def _with_kind(cell: NotebookCell, by_text: Mapping[str, NotebookCell]) -> NotebookCell:
    """Return a given cell with its kind, also where its metadata are lost."""
    original = by_text.get(cell.source.strip()) if cell.kind == "setup" else None
    return replace(cell, kind=original.kind, exercise=original.exercise) if original else cell


def exercises(path: Path) -> list[Exercise]:
    """Return the exercises of the student's notebook at `path`, in the release's order."""
    return read_homework(path).exercises
