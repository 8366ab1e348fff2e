"""Draw the figures of lecture 10: `.venv/bin/python lectures/figures/draw_10.py`.

They are those of the notebook. Cells of it that train or measure are not run.
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
from minitorch.course.figures import scales

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "10_quantization.py"
PLOTS = ("ruler", "two-rulers", "staircase", "bound-held")  # Cells of the notebook, and the names of the figures.


def save(name: str) -> None:
    """Write the open figure, the same bytes each time."""
    plt.savefig(HERE / f"10_{name}.svg", metadata={"Date": None})
    plt.close("all")


def main() -> None:
    """Write all figures beside this file."""
    plt.rcParams |= {"svg.hashsalt": "10", "font.size": 12}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_source(NOTEBOOK).of("setup", "exercise", "demo"):
        if cell.kind == "demo" and cell.name not in (*PLOTS, "shares"):
            continue
        _, error = run_cell(cell, solved(cell.source), namespace)
        if error:
            raise error
        if cell.name in PLOTS:
            save(cell.name)
    ways = [("one scale for the matrix", None), ("a scale for each row", 8), ("a scale for each group of 4", 4)]
    drawings = {"shares": scales.shares(namespace["MATRIX"], ways), "nibbles": scales.nibbles([5, -3])}
    for name, drawing in drawings.items():
        (HERE / f"10_{name}.svg").write_text(f"{drawing}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
