"""Draw the figures of lecture 04: `.venv/bin/python lectures/figures/draw_04.py`.

They are those of the notebook, whose cells are run for them, and one more.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import optimizers

NAMES = {  # Cell of the notebook -> figure.
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
    """Write all figures beside this file."""
    sheet = Sheet("04")
    optimizers.velocities()
    sheet.save("velocities")
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
