"""`minitorch course grade`: a class, from a folder of submissions to a page of feedback for each student."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from minitorch.cli.bar import bar
from minitorch.cli.progress import echo_err


class Where(StrEnum):
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
    out: Annotated[Path, typer.Option(help="Folder for the grades; made if it is not there.")],
    notebook: Annotated[
        str | None, typer.Option(help="Which notebook, such as 02; if not given, the one that most handed in.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Students at once; if not given, one a core.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Number that the hidden inputs come from; if not given, a new one.")
    ] = None,
    due: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=_time,
            help="When it was due, such as 2026-11-30T18:00+01:00; without a zone in this machine's time.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run into --out stopped.")] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run students' code without protection; the grades say so.")
    ] = False,
    engine: Annotated[
        Where, typer.Option(help="local: on this machine; ray: on the Ray cluster in reach.")
    ] = Where.LOCAL,
    root: Annotated[Path, typer.Option(help="Folder of the repository, for the notebook's source.")] = Path(),
) -> None:
    """Grade a class, from a folder of submissions to feedback.

    Every submission is executed in a sandbox and compared with the reference. The hidden tests come from
    notebooks/NN_topic.py, with inputs that nobody has seen. The folder --out then holds overview.html to look at
    first, feedback/<student>.html to give back, grades.csv, grades.json and junit.xml.

    Whatever a student handed in, the others are graded. After Ctrl-C or a power cut, the same command with --resume
    goes on. Exits with 0 once the class is graded, with 1 if it could not be.
    """
    from ..author.layout import CourseLayout
    from ..author.runner_pool import cores
    from ..grading.grade_class import GradingOptions, grade_class, local_engine, most_common_notebook

    layout = CourseLayout(root)
    name = layout.find([notebook or most_common_notebook(submissions, layout.names())])[0]
    options = GradingOptions(seed, due.astimezone() if due else None, resume, not no_sandbox)
    if engine == Where.RAY:
        from ..grading.ray_engine import ray_engine as chosen
    else:
        chosen = local_engine(jobs or cores())
    try:
        with bar(f"grading {name}") as done:
            grades = grade_class(submissions, out, layout, name, options, chosen, done)
    except KeyboardInterrupt:
        echo_err(f"Stopped. What is graded is kept in {out}: the same command with --resume goes on.")
        raise
    students = grades["students"]
    failed = [student for student in students if student["status"] == "failed"]
    for student in failed:
        print(f"not graded: {student['student']}: {student['reason']}")
    print(f"{len(students) - len(failed)} of {len(students)} graded. Look at {out / 'overview.html'} first.")
