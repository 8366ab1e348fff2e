"""Draw the figures of lecture 08: `.venv/bin/python lectures/figures/draw_08.py`.

They are those of the notebook, for some of which its cells are run, and one more. Training takes a minute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from minitorch.course.author.cells import solved
from minitorch.course.author.session import run_cell
from minitorch.course.author.source import read_source
from minitorch.course.figures import files, runs, windows

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "08_training.py"
DRAWINGS = {
    "window": lambda: windows.window("for i in range(10):", start=4, context=8),
    "cover": lambda: windows.cover(tokens=24, batch=2, context=4),
    "writing": files.writing,
}
PLOTS = {"surprise": runs.surprise, "lost_time": runs.lost_time}
CELLS = {"resume": "resumed", "four-sizes": "curves", "scaling": "scaling"}  # Cell of the notebook -> figure.


def save(name: str) -> None:
    """Write the open figure, the same bytes each time."""
    plt.savefig(HERE / f"08_{name}.svg", metadata={"Date": None})
    plt.close("all")


def main() -> None:
    """Write all figures beside this file."""
    plt.rcParams |= {"svg.hashsalt": "08", "font.size": 12}
    for name, draw in DRAWINGS.items():
        (HERE / f"08_{name}.svg").write_text(f"{draw()}\n", encoding="utf-8")
    for name, plot in PLOTS.items():
        plot()
        save(name)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    left = dict(CELLS)
    for cell in read_source(NOTEBOOK).of("setup", "exercise", "demo"):
        if not left:
            break
        _, error = run_cell(cell, solved(cell.source), namespace)
        if error:
            raise error
        if cell.name in left:
            save(left.pop(cell.name))
        plt.close("all")


if __name__ == "__main__":
    main()
