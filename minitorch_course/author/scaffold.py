"""A first version of a new notebook, complete enough to pass `verify`."""

from __future__ import annotations

import re
from pathlib import Path

from .layout import CourseLayout, write


def scaffold(layout: CourseLayout, name: str) -> list[Path]:
    """Write a notebook's source and its wrong answers, and return their paths.

    Raises:
      ValueError: the name is not NN_topic, or its number is taken.
    """
    if not re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", name):
        raise ValueError(
            f"{name!r} is not the name of a notebook: give two digits and a topic, such as 15_fine_tuning."
        )
    number = name[:2]
    if taken := [other for other in layout.names() if other.startswith(number)]:
        raise ValueError(f"The number {number} is taken by {taken[0]}: give another.")
    title = name[3:].replace("_", " ").capitalize()
    template = Path(__file__).parent / "template"
    files = {"notebook.txt": layout.source(name), "wrong.txt": layout.wrong_answers(name)}
    for file, path in files.items():
        write(path, (template / file).read_text(encoding="utf-8").replace("TITLE", title))
    return [*files.values()]
