"""`minitorch lab`: work done in a terminal, begun and reviewed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..labs.review import Item, Report

app = typer.Typer(
    help="Do the labs: package a model, guard it with checks, contribute to a project.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="The lab: docker, pull-request or ci.")]
Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of the lab.", show_default="./minitorch-labs/NAME, or the one that you are in"),
]
STYLES = {"done": ("done", "bold blue"), "missing": ("missing", "bold dark_orange3"), "unverified": ("unknown", "dim")}


@app.command()
def start(name: Name, folder: Folder = None) -> None:
    """Lay down a lab's folder. What is there already is never written over."""
    from ..labs.registry import start

    place = start(_known(name), folder)
    print(f"{place} is ready. Read {place / 'README.md'}, and ask for a review at any time with")
    print(f"  minitorch lab check {name}" + (f' --folder "{folder}"' if folder else ""))


@app.command()
def check(
    name: Name,
    folder: Folder = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For instructors: print JSON, and leave the lab's folder as it is.")
    ] = False,
) -> None:
    """Have your work reviewed: what is done, and what is missing, with file and line.

    Exits with 0 when all is done, with 1 while something is missing or could not be verified.
    """
    from ..labs.registry import check

    report = check(_known(name), folder, not as_json)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    if not report.done:
        raise typer.Exit(1)


def _known(name: str) -> str:
    from ..labs.registry import LABS

    if name not in LABS:
        raise typer.BadParameter(f"unknown lab {name!r}. There are: {', '.join(LABS)}.", param_hint="NAME")
    return name


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for item in report.items:
        word, style = STYLES[item.status]
        table.add_row(Text(word, style), f"{item.earned:>2} of {item.points:<2}", Text(item.title))
    Console().print(table)
    for text in _remarks(report.items):
        print(f"\n{text}")
    for note in report.notes:
        print(f"\n{note}")
    print(f"\n{report.earned} of {report.points} points.")


def _remarks(items: Sequence[Item]) -> list[str]:
    """Each comment once, in order, and why something could not be verified."""
    said = [str(comment) for item in items for comment in item.comments]
    unverified = [f"Not verified: {item.unverified}" for item in items if item.status == "unverified"]
    return list(dict.fromkeys(said + unverified))
