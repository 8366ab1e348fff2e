"""Draw the figures of lecture 14, on pull requests: `.venv/bin/python lectures/figures/draw_14.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.course.author.cells import solved
from minitorch.course.author.session import run_cell
from minitorch.course.author.source import read_source
from minitorch.course.figures import histories

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "14_pull_request.py"
CUT = (
    (["import os"],) * 3,
    (["rate = 1"], ["rate = 3"], ["rate = 2"]),
    (["print(rate)"],) * 3,
    (["seed = 0"], ["seed = 0"], []),
    (["run()"], ["run()"], ["run()"]),
    ([], ["save()"], []),
)


def flat(moving_average: Any) -> None:
    """A weak test: all numbers are equal."""
    assert moving_average([1.0] * 4, 3) == [1.0] * 4


def middle(moving_average: Any) -> None:
    """Another: looks where the window is full."""
    assert moving_average([4.0, 2.0, 6.0, 1.0], 3)[-2:] == [4.0, 3.0]


def main() -> None:
    """Write all figures beside this file, with the notebook's `merge`, its programs and its test."""
    known: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_source(NOTEBOOK).of("setup", "exercise"):
        run_cell(cell, solved(cell.source), known)
    right, wrong = known["RIGHT"], known["WRONG"]
    tests = {"[1, 1, 1, 1]": flat, "its end": middle, "all of it": known["test_start"]}
    said = {name: [known["verdict"](test, f) for f in (right | wrong).values()] for name, test in tests.items()}
    figures = {
        "joined": histories.joined(CUT, [known["merge"](*piece) for piece in CUT]),
        "verdicts": histories.verdicts(said, list(right), list(wrong)),
        **{f.__name__: f() for f in (histories.objects, histories.rebase, histories.rounds)},
    }
    for name, figure in figures.items():
        (HERE / f"14_{name}.svg").write_text(f"{figure}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
