"""Draw the figures of lecture 09: `.venv/bin/python lectures/figures/draw_09.py`.

They are those of the notebook, and one more. Cells of it that train or measure are not run.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch.infer import temperature
from minitorch_course.figures import caching, sampling

NAMES = {  # Cell of the notebook -> figure.
    "strategies": "strategies",
    "ruler": "ruler",
    "two-moods": "moods",
    "reading": "reading",
    "memory": "memory",
    "overlap": "overlap",
}
DRAWINGS = {
    "triangle": caching.triangle(["the", "cat", "sat", "on"], ["the", "mat", "and", "slept"]),
    "slots": caching.slots(["the", "cat", "sat", "on"], ["the", "mat"], room=9),
}


def main() -> None:
    """Write all figures beside this file."""
    sheet = Sheet("09")
    sheet.put(DRAWINGS)
    bound = sheet.run(NAMES, demos=())
    samplers = {f"T = {t:g}": temperature(t) for t in (0.1, 0.5, 2.0)}
    sampling.bars(bound["WORDS"], {"": bound["LOGITS"]}, samplers)
    sheet.save("temperature")


if __name__ == "__main__":
    main()
