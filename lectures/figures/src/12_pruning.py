"""Draw the figures of lecture 12: `python lectures/figures/src/12_pruning.py`.

They are plots of the notebook, whose cells this script runs, except those of the language model.
"""

from __future__ import annotations

from sheet import Sheet

NAMES = {  # cell of the notebook: figure
    "digits": "spread",
    "sparsity-against-loss": "sparsity",
    "patterns": "patterns",
    "neurons": "neurons",
    "routed": "routed",
    "collapse": "collapse",
    "balanced": "balanced",
    "proof": "proof",
    "proof-numbers": "bought",
}


if __name__ == "__main__":
    Sheet("12").run(NAMES, demos=("painters",))
