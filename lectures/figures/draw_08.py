"""Draw the figures of lecture 08: `.venv/bin/python lectures/figures/draw_08.py`.

They are those of the notebook, for some of which its cells are run, and one more. Training takes a minute.
"""

from __future__ import annotations

from sheet import Sheet

from minitorch_course.figures import files, runs, text_windows

DRAWINGS = {
    "window": text_windows.window("for i in range(10):", start=4, context=8),
    "cover": text_windows.cover(tokens=24, batch=2, context=4),
    "writing": files.writing,
}
PLOTS = {"surprise": runs.surprise, "lost_time": runs.lost_time}
NAMES = {"resume": "resumed", "four-sizes": "curves", "scaling": "scaling"}  # Cell of the notebook -> figure.


def main() -> None:
    """Write all figures beside this file."""
    sheet = Sheet("08")
    sheet.put(DRAWINGS)
    for name, plot in PLOTS.items():
        plot()
        sheet.save(name)
    sheet.run(NAMES)


if __name__ == "__main__":
    main()
