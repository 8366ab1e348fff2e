"""Draw the figures of lecture 08: `python lectures/figures/src/08_training.py`.

Some are plots of the notebook, whose cells this script runs. Training takes a minute.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import files, runs, text_windows

FIGURES = {
    "window": text_windows.window("for i in range(10):", start=4, context=8),
    "cover": text_windows.cover(tokens=24, batch=2, context=4),
    "writing": files.writing(),
}
PLOTS = {"surprise": runs.surprise, "lost_time": runs.lost_time}
NAMES = {"resume": "resumed", "four-sizes": "curves", "scaling": "scaling"}  # cell of the notebook: figure


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("08")
    sheet.put(FIGURES)
    for name, plot in PLOTS.items():
        plot()
        sheet.save(name)
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
