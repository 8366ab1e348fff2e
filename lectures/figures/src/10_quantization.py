"""Draw the figures of lecture 10: `python lectures/figures/src/10_quantization.py`.

They are those of the notebook. Cells that train or measure are not run.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import scales

PLOTS = ("ruler", "two-rulers", "staircase", "bound-held")  # Cells of the notebook, and the names of the figures.


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("10")
    matrix = sheet.run({name: name for name in PLOTS}, demos=("shares",))["MATRIX"]
    ways = [("one scale for the matrix", None), ("a scale for each row", 8), ("a scale for each group of 4", 4)]
    sheet.put({"shares": scales.shares(matrix, ways), "nibbles": scales.nibbles([5, -3])})


if __name__ == "__main__":
    main()
