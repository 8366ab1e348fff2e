"""What the scripts of the figures share: the files of one lecture, and the notebook whose cells draw most of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from minitorch_course.author.cells import solved
from minitorch_course.author.session import run_cell
from minitorch_course.author.source import read_source

HERE = Path(__file__).parent


class Sheet:
    """The figures of the lecture with this number, the same bytes each time. `font` is the size of a plot's letters."""

    def __init__(self, lecture: str, font: int = 12):
        self.lecture = lecture
        plt.rcParams |= {"svg.hashsalt": lecture, "font.size": font}

    def put(self, drawings: Mapping[str, Any]) -> None:
        """Write figures that are SVG already."""
        for name, drawing in drawings.items():
            self._path(name).write_text(f"{drawing}\n", encoding="utf-8", newline="\n")

    def save(self, name: str) -> None:
        """Write the plot that is open, and close it."""
        plt.savefig(self._path(name), metadata={"Date": None})
        plt.close("all")

    def run(self, names: Mapping[str, str], demos: Container[str] | None = None) -> dict[str, Any]:
        """Run the notebook, its exercises solved, and save the plots that the cells in `names` leave, as so called.

        Of its demos only those in `demos` or `names` are run, unless `demos` is None. Returns what the cells bound.
        """
        (notebook,) = HERE.parents[1].glob(f"notebooks/{self.lecture}_*.py")
        bound: dict[str, Any] = {"__name__": "__main__"}
        for cell in read_source(notebook).of("setup", "exercise", "demo"):
            if cell.kind == "demo" and demos is not None and cell.name not in demos and cell.name not in names:
                continue
            _, error = run_cell(cell, solved(cell.source), bound)
            if error:
                raise error
            if cell.name in names:
                self.save(names[cell.name])
            plt.close("all")
        return bound

    def _path(self, name: str) -> Path:
        return HERE / f"{self.lecture}_{name}.svg"
