"""The paths of a notebook's files in a repository."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minitorch._files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class CourseLayout:
    """The files of every notebook under `root`, the repository's folder."""

    root: Path

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    def source(self, name: str) -> Path:
        return self.notebooks / f"{name}.py"

    def reference(self, name: str) -> Path:
        return self.notebooks / f"{name}.ipynb"

    def released(self, name: str) -> Path:
        return self.notebooks / "released" / f"{name}.ipynb"

    def wrong_answers(self, name: str) -> Path:
        return self.root / "tests" / "notebooks" / "wrong" / f"{name}.py"

    def names(self) -> list[str]:
        """Return every notebook that has a source, in order."""
        return sorted(path.stem for path in self.notebooks.glob("[0-9][0-9]_*.py"))

    def find(self, wanted: Sequence[str]) -> list[str]:
        """Return the notebooks that `wanted` names, as `02` or `02_autodiff`; all if it is empty.

        Raises:
          ValueError: a name fits no notebook, or several.
        """
        names = self.names()
        if not names:
            raise ValueError(
                f"There is no notebook NN_topic.py in {self.notebooks}: give the repository's folder with --root,"
                " or create a first one with `minitorch course new`."
            )
        return [_find_one(number, names) for number in wanted] or names


def _find_one(wanted: str, names: Sequence[str]) -> str:
    found = [name for name in names if wanted in (name, name.partition("_")[0])]
    if len(found) != 1:
        problem = "No notebook is" if not found else "More than one notebook is"
        raise ValueError(f"{problem} called {wanted!r}. There are: {', '.join(names)}.")
    return found[0]


def write(path: Path, text: str) -> None:
    """Write text atomically; folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, text)
