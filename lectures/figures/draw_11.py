"""Draw the figures of lecture 11: `.venv/bin/python lectures/figures/draw_11.py`.

They are those of the notebook, whose cells are run for them.
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

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "11_distillation.py"
NAMES = {  # Cell of the notebook -> figure.
    "opinions": "opinions",
    "kinship-seen": "kinship",
    "hills": "hills",
    "sizes": "sizes",
    "students": "students",
    "unseen": "unseen",
}


def save(name: str) -> None:
    """Write the open figure, the same bytes each time."""
    plt.savefig(HERE / f"11_{name}.svg", metadata={"Date": None})
    plt.close("all")


def main() -> None:
    """Write all figures beside this file."""
    plt.rcParams |= {"svg.hashsalt": "11", "font.size": 12}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_source(NOTEBOOK).of("setup", "exercise", "demo"):
        _, error = run_cell(cell, solved(cell.source), namespace)
        if error:
            raise error
        if cell.name in NAMES:
            save(NAMES[cell.name])
        plt.close("all")


if __name__ == "__main__":
    main()
