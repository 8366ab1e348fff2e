"""Draw the figures of lecture 07: `python lectures/figures/src/07_transformers.py`.

They are plots of the notebook, whose cells this script runs.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import attention

NAMES = {  # cell of the notebook: figure
    "real-head": "head",
    "sharpness": "sharpness",
    "causality": "causality",
    "hands": "hands",
    "distance": "distance",
    "memory": "memory",
    "ladder-climbed": "ladder",
    "heads-seen": "heads",
}
FIGURES = {
    "mask": attention.mask(["the", "cat", "sat", "on", "the", "mat"]),
    "cuts": attention.cuts(),
}


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("07")
    sheet.put(FIGURES)
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
