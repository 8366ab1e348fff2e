"""Draw the figures of lecture 04: `python lectures/figures/src/04_optimizers.py`.

All but one are plots of the notebook, whose cells this script runs.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import optimizers

NAMES = {  # cell of the notebook: figure
    "ravine": "ravine",
    "momentum-in-the-ravine": "momentum",
    "clipping": "clipping",
    "bias-correction": "bias",
    "race": "race",
    "schedules": "schedules",
    "digits": "digits",
    "landscape": "landscape",
    "muon-seen": "muon",
}


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("04")
    optimizers.velocities()
    sheet.save("velocities")
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
