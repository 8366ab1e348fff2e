"""Draw the figures of lecture 14, on pull requests: `python lectures/figures/src/14_pull_request.py`."""

from __future__ import annotations

from typing import Any

from sheet import Sheet

from minitorch_course.figures import git_graphs

CUT = (
    (["import os"], ["import os"], ["import os"]),
    (["rate = 1"], ["rate = 3"], ["rate = 2"]),
    (["print(rate)"], ["print(rate)"], ["print(rate)"]),
    (["seed = 0"], ["seed = 0"], []),
    (["run()"], ["run()"], ["run()"]),
    ([], ["save()"], []),
)


def flat(moving_average: Any) -> None:
    """Check equal numbers only: a weak test."""
    assert moving_average([1.0] * 4, 3) == [1.0] * 4


def middle(moving_average: Any) -> None:
    """Check only where the window is full: another weak test."""
    assert moving_average([4.0, 2.0, 6.0, 1.0], 3)[-2:] == [4.0, 3.0]


def main() -> None:
    """Write all figures to `lectures/figures`, with the notebook's `merge`, its programs and its test."""
    sheet = Sheet("14")
    bound = sheet.run({}, demos=())
    right, wrong = bound["RIGHT"], bound["WRONG"]
    tests = {"[1, 1, 1, 1]": flat, "its end": middle, "all of it": bound["test_start"]}
    said = {name: [bound["verdict"](test, f) for f in (right | wrong).values()] for name, test in tests.items()}
    sheet.put(
        {
            "joined": git_graphs.joined(CUT, [bound["merge"](*piece) for piece in CUT]),
            "verdicts": git_graphs.verdicts(said, list(right), list(wrong)),
            **{f.__name__: f() for f in (git_graphs.objects, git_graphs.rebase, git_graphs.rounds)},
        }
    )


if __name__ == "__main__":
    main()
