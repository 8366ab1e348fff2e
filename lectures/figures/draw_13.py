"""Draw the figures of lecture 13, on packaging: `.venv/bin/python lectures/figures/draw_13.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.course.author.cells import solved
from minitorch.course.author.session import run_cell
from minitorch.course.author.source import read_source
from minitorch.course.figures import images

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "13_packaging.py"


def main() -> None:
    """Write all figures beside this file, with the notebook's layers and its `health`."""
    known: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_source(NOTEBOOK).of("setup", "exercise"):
        run_cell(cell, solved(cell.source), known)
    answers = [(10 * i, sign == "+") for i, sign in enumerate("---+--+----+", 1)]
    figures = {
        "pile": images.pile(known["LAYERS"], ["FROM python", "COPY . /app", "RUN install gcc", "RUN rm ..."]),
        "pulse": images.pulse(answers, known["health"](answers, 35, 3)),
        **{f.__name__: f() for f in (images.names, images.stages, images.parts, images.shell)},
    }
    for name, figure in figures.items():
        (HERE / f"13_{name}.svg").write_text(f"{figure}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
