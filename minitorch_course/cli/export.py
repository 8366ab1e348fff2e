"""`minitorch course export | lecture`: grades for other programs, and lectures as pages and slides."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Target(StrEnum):
    """Formats of exported grades, equal to `gradebook.export.TARGETS`, which is slow to import."""

    CSV = "csv"
    JUNIT = "junit"
    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"


def export(
    grades: Annotated[Path, typer.Argument(help="Output folder of `minitorch course grade`.")],
    to: Annotated[Target, typer.Option(help="Format of the export.")],
    out: Annotated[
        Path,
        typer.Option(
            help="File to write (.csv or .xml for Moodle); for Gradescope a folder, with one folder per student."
        ),
    ],
) -> None:
    """Export the grades of a class to another program."""
    from ..gradebook.export import export
    from ..gradebook.results import read_grades

    print(export(read_grades(grades), to, out))


def lecture(
    lectures: Annotated[
        list[str] | None, typer.Argument(help="Lectures, such as 02 or 02_autodiff.", show_default="all")
    ] = None,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("build/lectures"),
    root: Annotated[Path, typer.Option(help="Root folder of the repository.")] = Path(),
) -> None:
    """Build the page and the slides of a lecture.

    lectures/NN_topic.md becomes two self-contained HTML files, which need no network.
    """
    from ..author.lecture import find_lectures, make_lecture

    for source in find_lectures(root / "lectures", lectures or []):
        for path in make_lecture(source, out):
            print(path)
