"""Files of the figures of one lecture, and the notebook whose cells draw most of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from minitorch_course.author.cells import solved
from minitorch_course.author.session import run_cell
from minitorch_course.author.source import read_source

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

FIGURES = Path(__file__).parents[1]
ROOT = FIGURES.parents[1]


class Sheet:
    """The figures of one lecture, with reproducible bytes.

    Args:
      lecture: number of the lecture, such as "02".
      font: font size of plots, in points.
    """

    def __init__(self, lecture: str, font: int = 12):
        self.lecture = lecture
        plt.rcParams |= {"svg.hashsalt": lecture, "font.size": font}

    def put(self, drawings: Mapping[str, Any]) -> None:
        """Write drawings, which are SVG already."""
        for name, drawing in drawings.items():
            self._path(name).write_text(f"{drawing}\n", encoding="utf-8", newline="\n")

    def save(self, name: str) -> None:
        """Write the open plot, and close it."""
        plt.savefig(self._path(name), metadata={"Date": None})
        plt.close("all")

    def run(self, names: Mapping[str, str], demos: Container[str] | None = None) -> dict[str, Any]:
        """Run the notebook with the reference solutions, and save the plots of some cells.

        Args:
          names: cell -> name of its figure.
          demos: demos to run besides those in `names`; None for all.

        Returns:
          The variables that the cells bound.
        """
        (notebook,) = ROOT.glob(f"notebooks/{self.lecture}_*.py")
        bound: dict[str, Any] = {"__name__": "__main__"}
        for cell in read_source(notebook).of("setup", "exercise", "demo"):
            if cell.kind == "demo" and demos is not None and cell.name not in demos and cell.name not in names:
                continue
            outcome = run_cell(cell, solved(cell.source), bound)
            if outcome.error:
                raise outcome.error
            if cell.name in names:
                self.save(names[cell.name])
            plt.close("all")
        return bound

    def _path(self, name: str) -> Path:
        return FIGURES / f"{self.lecture}_{name}.svg"
