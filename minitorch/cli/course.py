"""`minitorch course`: the notebooks, from their source to a student's grade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Write, take and grade the course's notebooks.", no_args_is_help=True, rich_markup_mode=None)

Numbers = Annotated[
    list[str] | None, typer.Argument(help="Notebooks, such as 02 or 02_autodiff; all if none is given.")
]
Root = Annotated[Path, typer.Option(help="Folder of the repository.")]


@app.command()
def build(notebooks: Numbers = None, root: Root = Path()) -> None:
    """Execute notebooks/NN_topic.py into notebooks/NN_topic.ipynb, and make the release for students."""
    from ..course.build import build
    from ..course.places import Places

    places = Places(root)
    for name in places.find(notebooks or []):
        build(places, name)
        print(f"built {name}")


@app.command()
def verify(notebooks: Numbers = None, root: Root = Path()) -> None:
    """Prove that notebooks can be taught with: files in step, points earned and lost as they should be."""
    from ..course.places import Places
    from ..course.source import AuthoringError
    from ..course.verify import verify

    places, wrong = Places(root), False
    for name in places.find(notebooks or []):
        try:
            found = verify(places, name)
        except AuthoringError as error:
            found = error.problems
        for problem in found:
            print(problem)
        wrong = wrong or bool(found)
        print(f"{name}: {len(found)} problems" if found else f"{name}: ok")
    raise typer.Exit(int(wrong))
