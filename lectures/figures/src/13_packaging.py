"""Draw the figures of lecture 13, on packaging: `python lectures/figures/src/13_packaging.py`."""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import images


def main() -> None:
    """Write all figures to `lectures/figures`, with the notebook's layers and its `health`."""
    sheet = Sheet("13")
    bound = sheet.run({}, demos=())
    answers = [(10 * i, sign == "+") for i, sign in enumerate("---+--+----+", 1)]
    sheet.put(
        {
            "pile": images.pile(bound["LAYERS"], ["FROM python", "COPY . /app", "RUN install gcc", "RUN rm ..."]),
            "pulse": images.pulse(answers, bound["health"](answers, 35, 3)),
            **{f.__name__: f() for f in (images.names, images.stages, images.parts, images.shell)},
        }
    )


if __name__ == "__main__":
    main()
