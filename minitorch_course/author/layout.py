"""Where the files of a notebook are, in a folder laid out as this repository is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minitorch._files import atomic_write


@dataclass(frozen=True)
class CourseLayout:
    """The files of every notebook under `root`."""

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

    def wrong(self, name: str) -> Path:
        return self.root / "tests" / "notebooks" / "wrong" / f"{name}.py"

    def names(self) -> list[str]:
        """Every notebook that has a source, in order."""
        return sorted(path.stem for path in self.notebooks.glob("[0-9][0-9]_*.py"))

    def find(self, wanted: Sequence[str]) -> list[str]:
        """The notebooks meant by `02` or `02_autodiff`; all if none is named. Raises ValueError for others."""
        names = self.names()
        if not names:
            raise ValueError(
                f"There is no notebook NN_topic.py in {self.notebooks}: give the repository's folder with --root,"
                " or lay down a first one with `minitorch course new`."
            )
        return [_meant(number, names) for number in wanted] or names


def _meant(wanted: str, names: Sequence[str]) -> str:
    found = [name for name in names if wanted in (name, name.partition("_")[0])]
    if len(found) != 1:
        problem = "No notebook is" if not found else "More than one notebook is"
        raise ValueError(f"{problem} called {wanted!r}. There are: {', '.join(names)}.")
    return found[0]


def write(path: Path, text: str) -> None:
    """Put text into a file, so that a crash leaves the old one; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, text)
