"""What a course makes for others to read: `minitorch course export` (of grades) and `minitorch course lecture`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Target(StrEnum):
    """For whom grades are exported; the same words as `minitorch_course.gradebook.export.TARGETS`, without its imports."""

    CSV = "csv"
    JUNIT = "junit"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"


def export(
    grades: Annotated[Path, typer.Argument(help="Folder that `minitorch course grade` wrote.")],
    to: Annotated[Target, typer.Option(help="Who is to read them.")],
    out: Annotated[
        Path,
        typer.Option(help="File to write; .csv or .xml for Moodle. For Gradescope a folder, with a folder a student."),
    ],
) -> None:
    """Write the grades of a class in the form of another program."""
    from ..gradebook.export import export
    from ..gradebook.results import read_grades

    print(export(read_grades(grades), to, out))


def lecture(
    lectures: Annotated[
        list[str] | None, typer.Argument(help="Lectures, such as 02 or 02_autodiff; all if none is given.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for what is made.")] = Path("build/lectures"),
    root: Annotated[Path, typer.Option(help="Folder of the repository.")] = Path(),
) -> None:
    """Make the page and the slides of a lecture.

    Of lectures/NN_topic.md come two files that need nothing else, not even the network.
    """
    from ..author.lecture import find_lectures, make_lecture

    for source in find_lectures(root / "lectures", lectures or []):
        for path in make_lecture(source, out):
            print(path)
