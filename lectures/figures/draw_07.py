"""Draw the figures of lecture 07: `.venv/bin/python lectures/figures/draw_07.py`.

They are those of the notebook, whose cells are run for them.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import attention

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


def main() -> None:
    """Write all figures beside this file."""
    sheet = Sheet("07")
    sheet.put(DRAWN)
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
