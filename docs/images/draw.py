"""Draw the pictures of the site that are not in a lecture: `python docs/images/draw.py`."""

from __future__ import annotations

from pathlib import Path

from minitorch._palette import BLUE, GRAY, GREEN, INK, TINTS, VERMILION
from minitorch_course.figures.svg import Block, Drawing, drawing, label

HERE = Path(__file__).parent
STEP, WIDE, HIGH = 76, 64, 40


def resume() -> Drawing:
    """Draw a run that never stops, and one that is killed after step 6 and resumes from the checkpoint of step 4."""
    rows = (
        ("never stopped", range(1, 9), BLUE, 0),
        ("killed after 6", range(1, 7), BLUE, 70),
        ("resumed from 4", range(5, 9), GREEN, 140),
    )
    shapes = []
    for name, steps, colour, y in rows:
        shapes.append(label(58, y + 25, name, INK, 15, 600))
        for step in steps:
            lost = y == 70 and step > 4
            shapes.append(_step(130 + STEP * (step - 1), y, step, VERMILION if lost else colour))
    shapes.append(label(130 + STEP * 6 + 30, 95, "× killed", VERMILION, 15, 600))
    shapes.append(label(130 + STEP * 4 - 6, 131, "checkpoint: step 4, weights, optimizer", GRAY, 13))
    return drawing(
        Block("".join(shapes), 130 + STEP * 8, 182), "The batch of a step depends on its number, not on the run"
    )


def _step(x: float, y: float, step: int, colour: str) -> str:
    rect = f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="4" fill="{TINTS[colour]}" stroke="{colour}"/>'
    middle = x + WIDE / 2
    return rect + label(middle, y + 18, f"step {step}", INK, 14) + label(middle, y + 34, f"batch {step}", GRAY, 12)


if __name__ == "__main__":
    (HERE / "resume.svg").write_text(resume() + "\n", encoding="utf-8", newline="\n")
