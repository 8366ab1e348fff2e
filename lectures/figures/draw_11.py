"""Draw the figures of lecture 11: `.venv/bin/python lectures/figures/draw_11.py`.

They are those of the notebook, whose cells are run for them.
"""

from __future__ import annotations

from sheet import Sheet

NAMES = {  # Cell of the notebook -> figure.
    "opinions": "opinions",
    "kinship-seen": "kinship",
    "hills": "hills",
    "sizes": "sizes",
    "students": "students",
    "unseen": "unseen",
}


if __name__ == "__main__":
    Sheet("11").run(NAMES)
