"""`minitorch course`: the notebooks, from their source to a student's grade."""

from __future__ import annotations

import typer

from .author import build, new, release, verify
from .export import export, lecture
from .grade import grade
from .student import check, progress, start, submit

HELP = """Write, solve and grade the notebooks of the course.

For students: start, check, progress, submit. For instructors: release, grade, export, lecture. For authors: new, build,
verify.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
for command in (start, check, progress, submit, build, verify, new, release, grade, export, lecture):
    app.command()(command)
