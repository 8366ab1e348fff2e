"""Draw the figures of lecture 03: `.venv/bin/python lectures/figures/draw_03.py`.

They are those of the notebook, whose cells are run for them, and one more.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import layers

NAMES = {  # Cell of the notebook -> figure.
    "gelu-primitive": "bends",
    "squared-error": "blame",
    "through-depth": "depth",
    "funnel": "funnel",
    "circle": "circle",
    "deep": "races",
    "landscape": "landscape",
}


def main() -> None:
    """Write all figures beside this file."""
    sheet = Sheet("03", font=13)
    layers.relay()
    sheet.save("relay")
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
