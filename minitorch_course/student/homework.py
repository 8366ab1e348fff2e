"""A student's notebook as a file: its exercises, their cells, and what its checks said when it was last saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._packages import data_folder
from ..notebook.check import CHECKED

RELEASED = data_folder("released", "notebooks/released")


def released_names() -> list[str]:
    """The notebooks of the course, in order."""
    return sorted(path.stem for path in RELEASED.glob("*.ipynb"))


def released(name: str) -> Path:
    return RELEASED / f"{name}.ipynb"


def meant(wanted: str) -> str:
    """The notebook called `02_autodiff` or `02`. Raises ValueError, with a list of them, if there is none."""
    names = released_names()
    found = [name for name in names if wanted in (name, name.partition("_")[0])]
    if not found:
        raise ValueError(f"No notebook is called {wanted!r}. There are: {', '.join(names)}.")
    return found[0]


@dataclass(frozen=True)
class Cell:
    """A code cell of a student's notebook, the `place`-th. `kind` is that of the release: setup for what the student
    added."""

    place: int
    name: str
    kind: str
    exercise: str
    source: str
    stretch: bool
    count: int
    said: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        """What tells whether the code has changed since it was checked."""
        return hashlib.sha256(self.source.strip().encode("utf-8", "surrogatepass")).hexdigest()


def read_cells(path: Path) -> list[Cell]:
    """The code cells of a notebook. Raises OSError where there is no file, ValueError where it is no notebook."""
    try:
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        return [_cell(place, cell) for place, cell in enumerate(cells)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} cannot be read as a notebook ({type(error).__name__}). Open it in Jupyter and save it, or put it"
            " aside and start again."
        ) from None


def _cell(place: int, cell: dict[str, Any]) -> Cell:
    metadata = cell.get("metadata", {})
    about = metadata.get("minitorch", {})
    return Cell(
        place,
        str(cell.get("id", "")),
        about.get("kind", "setup"),
        about.get("exercise", ""),
        "".join(cell["source"]),
        "stretch" in metadata.get("tags", ()),
        cell.get("execution_count") or 0,
        tuple(said(cell.get("outputs", ()))),
    )


def said(outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `check` said, in the outputs of a cell."""
    return [output["data"][CHECKED] for output in outputs if CHECKED in output.get("data", {})]


@dataclass(frozen=True)
class Exercise:
    """One exercise: the student's cell (None if it was deleted), that of the release, and the checks."""

    name: str
    cell: Cell | None
    released: Cell
    checks: list[Cell]

    @property
    def written(self) -> bool:
        return self.cell is not None and self.cell.digest != self.released.digest


def exercises(path: Path) -> list[Exercise]:
    """The exercises of the student's notebook at `path`, in the release's order."""
    cells, tasks = read_cells(path), read_cells(released(path.stem))
    return [
        Exercise(
            task.exercise,
            _cell_of(task, cells),
            task,
            [cell for cell in cells if cell.kind == "check" and cell.exercise == task.exercise],
        )
        for task in tasks
        if task.kind == "exercise"
    ]


def _cell_of(task: Cell, cells: Sequence[Cell]) -> Cell | None:
    """By name, else by what it says it is: some editors give cells new names."""
    by_name = (cell for cell in cells if cell.name == task.name)
    by_kind = (cell for cell in cells if (cell.kind, cell.exercise) == ("exercise", task.exercise))
    return next(by_name, next(by_kind, None))
