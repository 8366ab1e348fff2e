"""Draw the figures of lecture 03: `python lectures/figures/src/03_layers_and_losses.py`.

All but one are plots of the notebook, whose cells this script runs.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import layers

NAMES = {  # cell of the notebook: figure
    "gelu-primitive": "bends",
    "squared-error": "blame",
    "through-depth": "depth",
    "funnel": "funnel",
    "circle": "circle",
    "deep": "races",
    "landscape": "landscape",
}


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("03", font=13)
    layers.relay()
    sheet.save("relay")
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
