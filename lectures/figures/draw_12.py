"""Draw the figures of lecture 12: `.venv/bin/python lectures/figures/draw_12.py`.

They are those of the notebook, whose cells are run for them, without those of the language model.
"""

from __future__ import annotations

from sheet import Sheet

NAMES = {  # Cell of the notebook -> figure.
    "digits": "spread",
    "sparsity-against-loss": "sparsity",
    "patterns": "patterns",
    "neurons": "neurons",
    "routed": "routed",
    "collapse": "collapse",
    "mended": "mended",
    "proof": "proof",
    "proof-numbers": "bought",
}


if __name__ == "__main__":
    Sheet("12").run(NAMES, demos=("painters",))
