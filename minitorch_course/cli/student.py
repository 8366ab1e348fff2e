"""`minitorch course start | check | progress | submit`: commands for students."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..student.progress import State

Notebook = Annotated[str, typer.Argument(help="The notebook, such as 02 or 02_autodiff.")]
Workspace = Annotated[
    Path | None,
    typer.Option(
        help="Folder of your notebooks.", show_default="the current folder if it has some, else ./minitorch-course"
    ),
]


def start(
    notebook: Notebook,
    workspace: Workspace = None,
    open: Annotated[bool, typer.Option("--open/--no-open", help="Open the notebook in JupyterLab.")] = True,
) -> None:
    """Copy a notebook to your folder, and open it. Existing files are never overwritten."""
    from ..student.workspace import find_workspace, start

    path, new = start(notebook, find_workspace(workspace))
    print(f"{path} is ready." if new else f"{path} exists already and stays as it is.")
    print(f"Later: `minitorch course check {notebook}` checks it, `minitorch course submit {notebook}` packs it.")
    if open:
        _open(path)
    else:
        print(f"Open it with: jupyter lab {_quoted(path)}")


def _open(path: Path) -> None:
    from minitorch._optional import require

    require("jupyterlab", "Opening a notebook", "pip install 'minitorch-course[course]'")
    print("JupyterLab opens in your browser. To stop it, press Ctrl-C here.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):  # JupyterLab receives it, too, and exits.
        subprocess.run([sys.executable, "-m", "jupyterlab", path.name], cwd=path.parent, check=False)


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)


def check(
    notebook: Notebook,
    workspace: Workspace = None,
    limit: Annotated[float, typer.Option(help="Time limit of the whole notebook, in seconds.", min=1)] = 300.0,
) -> None:
    """Run your saved notebook, and report which exercises are correct.

    The notebook is not changed. Exits with 1 while an exercise is not correct.
    """
    from minitorch.cli.progress import progress_bar

    from ..student.progress import check_notebook
    from ..student.workspace import find_workspace, started_path

    path = started_path(notebook, find_workspace(workspace))
    with progress_bar(f"running {path.stem}") as done:
        states = check_notebook(path, limit, done)
    _print_states(states)
    if any(not state.done and not state.stretch for state in states):
        raise typer.Exit(1)


def _print_states(states: list[State]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for no_wrap in (True, True, False):
        table.add_column(no_wrap=no_wrap)
    for state in states:
        word, style = _word(state)
        table.add_row(Text(word, style), state.exercise, Text(state.message))
    console = Console()
    console.print(table)
    needed = [state for state in states if not state.stretch]
    print(f"{sum(state.done is True for state in needed)} of {len(needed)} exercises are correct.")


def _word(state: State) -> tuple[str, str]:
    """Return a word for the state of an exercise, and its style."""
    from ..student.progress import NOT_WRITTEN

    if state.done:
        return "ok", "bold blue"
    if state.done is None:
        return "unknown", "dim"
    if state.stretch and state.message == NOT_WRITTEN:
        return "stretch", "dim"
    return "not yet", "bold dark_orange3"


def progress(
    workspace: Workspace = None,
    page: Annotated[Path | None, typer.Option(help="HTML file to write the same as a page.", dir_okay=False)] = None,
) -> None:
    """Show your progress in every notebook that you have started, and in six skills."""
    from rich.console import Console
    from rich.table import Table

    from ..author.layout import write
    from ..gradebook.progress import progress_page
    from ..student.progress import progress
    from ..student.skills import skill_progress
    from ..student.workspace import find_workspace

    folder = find_workspace(workspace)
    notebooks = progress(folder)
    if not notebooks:
        raise ValueError(f"No notebook of the course is in {folder}: run `minitorch course start 00`.")
    table, shares = Table.grid(padding=(0, 2)), {}
    for name, states in notebooks.items():
        needed = [state for state in states if not state.stretch]
        done = sum(state.done is True for state in needed)
        extra = sum(state.done is True for state in states) - done
        shares[name] = done, len(needed)
        more = (f" and {extra} stretch" if extra else "") + _unknown(needed)
        _add_bar(table, name, done, len(needed), more)
    table.add_row()
    skills = skill_progress(notebooks)
    for skill, (done, of) in skills.items():
        _add_bar(table, skill, done, of)
    Console().print(table)
    if page:
        write(page, progress_page(skills, shares))
        print(f"Wrote {page}")


def _add_bar(table: Any, name: str, done: int, of: int, more: str = "") -> None:
    from rich.progress_bar import ProgressBar

    table.add_row(name, ProgressBar(total=max(of, 1), completed=done, width=30), f"{done} of {of}{more}")


def _unknown(states: list[State]) -> str:
    unknown = sum(state.done is None for state in states)
    return f", {unknown} not checked yet" if unknown else ""


def submit(
    notebook: Notebook,
    workspace: Workspace = None,
    student: Annotated[str | None, typer.Option(help="Your name or number.", show_default="your user name")] = None,
) -> None:
    """Create the archive to hand in, and print a receipt. Earlier archives are kept."""
    from ..student.workspace import find_workspace, submit

    receipt = submit(notebook, find_workspace(workspace), student)
    print(f"file      {receipt.path}")
    print(f"sha256    {receipt.sha256}")
    print(f"time      {receipt.submitted}")
    print(f"student   {receipt.student}")
    print(f"contains  your notebook as saved on {receipt.saved:%Y-%m-%d at %H:%M},")
    print(f"          in which {receipt.written} of {receipt.exercises} exercises are written")
    print("Hand in this file as it is, and keep the receipt.")
