"""`minitorch lab start | check`: work done in a terminal, with reviews."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minitorch._suggest import did_you_mean

if TYPE_CHECKING:
    from ..labs.review import Item, Review

app = typer.Typer(
    help="Work on the labs: package a model, test changes of it, contribute to a project.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="The lab: docker, pull-request or ci.")]
Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of the lab.", show_default="the current folder if it is one, else ./minitorch-labs/NAME"),
]
STYLES = {"done": ("done", "bold blue"), "missing": ("missing", "bold dark_orange3"), "unverified": ("unknown", "dim")}


@app.command()
def start(name: Name, folder: Folder = None) -> None:
    """Create the folder of a lab. Existing files are never overwritten."""
    from ..labs.registry import start

    place = start(_known(name), folder)
    print(f"{place} is ready. Read {place / 'README.md'}. To get a review at any time, run")
    print(f"  minitorch lab check {name}" + (f' --folder "{folder}"' if folder else ""))


@app.command()
def check(
    name: Name,
    folder: Folder = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For instructors: print JSON, and do not change the lab's folder.")
    ] = False,
) -> None:
    """Review your work: what is done, and what is missing, with file and line.

    Exits with 0 if everything is done, with 1 if something is missing or could not be verified.
    """
    from ..labs.registry import check

    review = check(_known(name), folder, not as_json)
    if as_json:
        print(json.dumps(review.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(review)
    if not review.done:
        raise typer.Exit(1)


def _known(name: str) -> str:
    from ..labs.registry import LABS

    if name not in LABS:
        raise typer.BadParameter(
            f"unknown lab {name!r}. There are: {', '.join(LABS)}.{did_you_mean(name, LABS)}", param_hint="NAME"
        )
    return name


def _print(review: Review) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for item in review.items:
        word, style = STYLES[item.status]
        table.add_row(Text(word, style), f"{item.earned:>2} of {item.points:<2}", Text(item.title))
    Console().print(table)
    for text in _comments(review.items):
        print(f"\n{text}")
    for note in review.notes:
        print(f"\n{note}")
    print(f"\n{review.earned} of {review.points} points.")


def _comments(items: Sequence[Item]) -> list[str]:
    """Return each comment once, in order, and why items could not be verified."""
    comments = [str(comment) for item in items for comment in item.comments]
    unverified = [f"Not verified: {item.unverified}" for item in items if item.status == "unverified"]
    return list(dict.fromkeys(comments + unverified))
