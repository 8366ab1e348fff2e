"""Draw the figures of lecture 07: `.venv/bin/python lectures/figures/draw_07.py`.

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
from minitorch.course.figures import attention

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "07_transformers.py"
NAMES = {  # Cell of the notebook -> figure.
    "real-head": "head",
    "sharpness": "sharpness",
    "causality": "causality",
    "hands": "hands",
    "distance": "distance",
    "memory": "memory",
    "ladder-climbed": "ladder",
    "heads-seen": "heads",
}
DRAWN = {  # Figures that are SVG already.
    "mask": attention.mask(["the", "cat", "sat", "on", "the", "mat"]),
    "cuts": attention.cuts(),
}


def save(name: str) -> None:
    """Write the open figure, the same bytes each time."""
    plt.savefig(HERE / f"07_{name}.svg", metadata={"Date": None})
    plt.close("all")


def main() -> None:
    """Write all figures beside this file."""
    plt.rcParams |= {"svg.hashsalt": "07", "font.size": 12}
    for name, drawing in DRAWN.items():
        (HERE / f"07_{name}.svg").write_text(f"{drawing}\n", encoding="utf-8")
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
