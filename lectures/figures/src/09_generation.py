"""Draw the figures of lecture 09: `python lectures/figures/src/09_generation.py`.

All but one are those of the notebook. Cells that train or measure are not run.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch.infer import temperature
from minitorch_course.figures import caching, sampling

NAMES = {  # cell of the notebook: figure
    "strategies": "strategies",
    "ruler": "ruler",
    "two-moods": "moods",
    "reading": "reading",
    "memory": "memory",
    "overlap": "overlap",
}
FIGURES = {
    "triangle": caching.triangle(["the", "cat", "sat", "on"], ["the", "mat", "and", "slept"]),
    "slots": caching.slots(["the", "cat", "sat", "on"], ["the", "mat"], room=9),
}


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("09")
    sheet.put(FIGURES)
    bound = sheet.run(NAMES, demos=())
    samplers = {f"T = {t:g}": temperature(t) for t in (0.1, 0.5, 2.0)}
    sampling.bars(bound["WORDS"], {"": bound["LOGITS"]}, samplers)
    sheet.save("temperature")


if __name__ == "__main__":
    main()
