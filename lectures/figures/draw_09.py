"""Draw the figures of lecture 09: `.venv/bin/python lectures/figures/draw_09.py`.

They are those of the notebook, and one more. Cells of it that train or measure are not run.
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
from minitorch.course.figures import caching, sampling
from minitorch.infer import temperature

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "09_generation.py"
NAMES = {  # Cell of the notebook -> figure.
    "strategies": "strategies",
    "ruler": "ruler",
    "two-moods": "moods",
    "reading": "reading",
    "memory": "memory",
    "overlap": "overlap",
}
DRAWINGS = {
    "triangle": caching.triangle(["the", "cat", "sat", "on"], ["the", "mat", "and", "slept"]),
    "slots": caching.slots(["the", "cat", "sat", "on"], ["the", "mat"], room=9),
}


def save(name: str) -> None:
    """Write the open figure, the same bytes each time."""
    plt.savefig(HERE / f"09_{name}.svg", metadata={"Date": None})
    plt.close("all")


def main() -> None:
    """Write all figures beside this file."""
    plt.rcParams |= {"svg.hashsalt": "09", "font.size": 12}
    for name, drawing in DRAWINGS.items():
        (HERE / f"09_{name}.svg").write_text(f"{drawing}\n", encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_source(NOTEBOOK).of("setup", "exercise", "demo"):
        if cell.kind == "demo" and cell.name not in NAMES:
            continue
        _, error = run_cell(cell, solved(cell.source), namespace)
        if error:
            raise error
        if cell.name in NAMES:
            save(NAMES[cell.name])
    samplers = {f"T = {t:g}": temperature(t) for t in (0.1, 0.5, 2.0)}
    sampling.bars(namespace["WORDS"], {"": namespace["LOGITS"]}, samplers)
    save("temperature")


if __name__ == "__main__":
    main()
