"""Draw the figures of lecture 11: `python lectures/figures/src/11_distillation.py`.

They are plots of the notebook, whose cells this script runs.
"""

from __future__ import annotations

from sheet import Sheet

NAMES = {  # cell of the notebook: figure
    "opinions": "opinions",
    "kinship-seen": "kinship",
    "hills": "hills",
    "sizes": "sizes",
    "students": "students",
    "unseen": "unseen",
}


if __name__ == "__main__":
    Sheet("11").run(NAMES)
