"""A student's notebook as a file: its exercises, their cells, and the results of checks in its saved outputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._packages import data_folder
from ..notebook.check import CHECKED

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        raise ValueError(f"No notebook is called {wanted!r}. There are: {', '.join(names)}.")
    return found[0]


@dataclass(frozen=True)
class NotebookCell:
    """A code cell of a student's notebook.

    Attributes:
      index: its index among the code cells.
      name: the cell's id.
      kind: its kind in the release; `setup` for a cell that the student added.
      exercise: the exercise that it belongs to, or "".
      source: its code.
      stretch: whether the exercise is optional.
      execution_count: Jupyter's counter when the cell was last run; 0 if it was not.
      checked: the results of `check` in its saved outputs.
    """

    index: int
    name: str
    kind: str
    exercise: str
    source: str
    stretch: bool
    execution_count: int
    checked: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        """A hash of the code, which changes with it."""
        return hashlib.sha256(self.source.strip().encode("utf-8", "surrogatepass")).hexdigest()


def read_cells(path: Path) -> list[NotebookCell]:
    """Read the code cells of a notebook.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is not a notebook.
    """
    try:
        cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
        return [_cell(index, cell) for index, cell in enumerate(cells)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} cannot be read as a notebook ({type(error).__name__}). Open it in Jupyter and save it, or move it"
            " away and start again."
        ) from None


def _cell(index: int, cell: dict[str, Any]) -> NotebookCell:
    metadata = cell.get("metadata", {})
    about = metadata.get("minitorch", {})
    return NotebookCell(
        index,
        str(cell.get("id", "")),
        about.get("kind", "setup"),
        about.get("exercise", ""),
        "".join(cell["source"]),
        "stretch" in metadata.get("tags", ()),
        cell.get("execution_count") or 0,
        tuple(check_results(cell.get("outputs", ()))),
    )


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


def exercises(path: Path) -> list[Exercise]:
    """Return the exercises of the student's notebook at `path`, in the release's order."""
    cells, released = read_cells(path), read_cells(released_path(path.stem))
    return [
        Exercise(
            original.exercise,
            _cell_of(original, cells),
            original,
            [cell for cell in cells if cell.kind == "check" and cell.exercise == original.exercise],
        )
        for original in released
        if original.kind == "exercise"
    ]


def _cell_of(original: NotebookCell, cells: Sequence[NotebookCell]) -> NotebookCell | None:
    """Find the student's cell by its name, or by its exercise, since some editors give cells new names."""
    by_name = (cell for cell in cells if cell.name == original.name)
    by_exercise = (cell for cell in cells if (cell.kind, cell.exercise) == ("exercise", original.exercise))
    return next(by_name, next(by_exercise, None))
