"""`minitorch course grade`: from a folder of submissions to a page of feedback for each student."""

from __future__ import annotations

import io
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from minitorch.cli.progress import echo_err, progress_bar


class Engine(StrEnum):
    """Where notebooks are graded."""

    LOCAL = "local"
    RAY = "ray"


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time: write it as 2026-11-30T18:00+01:00.") from None


def grade(
    submissions: Annotated[
        Path, typer.Argument(help="Folder with a <student>.zip, <student>.ipynb or folder <student> for each.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the grades; created if it does not exist.")],
    notebook: Annotated[
        str | None, typer.Option(help="Notebook to grade, such as 02.", show_default="the most common one")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of students graded in parallel.", show_default="number of cores")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the random inputs of hidden tests.", show_default="random")
    ] = None,
    due: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=_time,
            help="Deadline, such as 2026-11-30T18:00+01:00; without a time zone, in that of this machine.",
        ),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(help="Class list as CSV, such as an exported gradebook; who submitted nothing gets a row, too."),
    ] = None,
    late: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="What late work loses, such as '10%/day, grace 15 min, cut-off 3 days'."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run into the same --out.")] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run students' code without a sandbox; the grades record it.")
    ] = False,
    engine: Annotated[Engine, typer.Option(help="local: on this machine; ray: on a Ray cluster.")] = Engine.LOCAL,
    root: Annotated[
        Path, typer.Option(help="Root folder of the repository, which has the source of the notebook.")
    ] = Path(),
) -> None:
    """Grade a class, from a folder of submissions to feedback.

    Every submission runs in a sandbox, and its results are compared with the reference. The hidden tests are in
    notebooks/NN_topic.py; their random inputs are new. The folder --out then contains overview.html, the page to read
    first; feedback/<student>.html, the pages for students; grades.csv, grades.json and junit.xml.

    A submission that cannot be graded does not affect the others. After Ctrl-C or a power failure, run the same command
    with --resume. Exits with 0 if the class is graded, else with 1.
    """
    from minitorch._cpu import available_cores

    from ..author.layout import CourseLayout
    from ..gradebook.sanitize import one_line
    from ..grading.grade_class import GradingOptions, grade_class, local_engine, most_common_notebook
    from ..grading.late import parse_late_rule
    from ..grading.roster import read_roster

    layout = CourseLayout(root)
    rule, enrolled = parse_late_rule(late) if late else None, read_roster(roster) if roster else []
    name = layout.find([notebook or most_common_notebook(submissions, layout.names())])[0]
    options = GradingOptions(
        seed, due.astimezone() if due else None, resume, not no_sandbox, roster=enrolled, late=rule
    )
    if engine == Engine.RAY:
        from ..grading.ray_engine import ray_engine as chosen
    else:
        chosen = local_engine(jobs or available_cores())
    try:
        with progress_bar(f"grading {name}") as done:
            grades = grade_class(submissions, out, layout, name, options, chosen, done)
    except KeyboardInterrupt:
        echo_err(f"Stopped. Finished grades are in {out}: run the same command with --resume to continue.")
        raise
    students = grades["students"]
    failed = [student for student in students if student["status"] == "failed"]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # Some terminals cannot show every letter of a name.
    for student in failed:
        print(f"not graded: {one_line(student['student'])}: {one_line(student['reason'])}")
    print(f"{len(students) - len(failed)} of {len(students)} graded. Read {out / 'overview.html'} first.")
