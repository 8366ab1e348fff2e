"""`minitorch course build | verify | new | release`: commands for authors of notebooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from minitorch.cli.progress import progress_bar

Numbers = Annotated[list[str] | None, typer.Argument(help="Notebooks, such as 02 or 02_autodiff.", show_default="all")]
Root = Annotated[Path, typer.Option(help="Root folder of the repository.")]


def build(notebooks: Numbers = None, root: Root = Path()) -> None:
    """Build the reference and the released notebook from the source.

    notebooks/02_autodiff.py becomes notebooks/02_autodiff.ipynb, with outputs, and
    notebooks/released/02_autodiff.ipynb, without solutions and hidden tests. Commit all three.
    """
    from ..author.build import build
    from ..author.layout import CourseLayout

    layout = CourseLayout(root)
    for name in layout.find(notebooks or []):
        with _problems_in_lines(), progress_bar(f"executing {name}") as done:
            build(layout, name, done)
        print(f"built {layout.reference(name)} and {layout.released(name)}")


def verify(
    notebooks: Numbers = None,
    root: Root = Path(),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Number of parallel processes.", show_default="number of cores")
    ] = None,
) -> None:
    """Verify that a notebook is ready to be taught.

    Prints each problem in a line with file and line number, and exits with 1 if there are any.

    The committed notebooks must match the source. An empty notebook must earn no points, and the reference all of
    them. Each wrong answer must lose the expected points and get its message. Each mutant, the reference with one
    small mistake, must lose points. A second execution must give the same outputs.
    """
    from minitorch._cpu import available_cores

    from ..author.layout import CourseLayout
    from ..author.lint import AuthoringError
    from ..author.verify import verify

    layout, valid = CourseLayout(root), True
    for name in layout.find(notebooks or []):
        try:
            with progress_bar(f"verifying {name}") as done:
                found = verify(layout, name, jobs or available_cores(), done)
        except AuthoringError as error:
            found = error.problems
        for problem in found:
            print(problem)
        valid = valid and not found
        print(f"{name}: {len(found)} to fix" if found else f"{name}: ok")
    raise typer.Exit(0 if valid else 1)


def new(
    name: Annotated[str, typer.Argument(help="Number and topic in lower case, such as 15_fine_tuning.")],
    root: Root = Path(),
) -> None:
    """Create a small notebook to start from.

    It has one exercise with its check, its hidden test and four wrong answers. It is complete: `minitorch course build`
    and `minitorch course verify` succeed.
    """
    from ..author.layout import CourseLayout
    from ..author.scaffold import scaffold

    for path in scaffold(CourseLayout(root), name):
        print(f"wrote {path}")
    print(f"Next: minitorch course build {name[:2]}, then minitorch course verify {name[:2]}")


def release(
    notebooks: Numbers = None,
    out: Annotated[Path, typer.Option(help="Folder for the notebooks.")] = Path("released"),
    root: Root = Path(),
) -> None:
    """Copy the notebooks that students get to a folder.

    They have no solutions and no hidden tests. Existing files are not replaced.
    """
    from ..author.build import release_to
    from ..author.layout import CourseLayout

    layout = CourseLayout(root)
    for name in layout.find(notebooks or []):
        with _problems_in_lines():
            print(f"released {release_to(layout, name, out)}")


@contextlib.contextmanager
def _problems_in_lines() -> Iterator[None]:
    """Print an author's mistakes, one per line, and exit with 1."""
    from ..author.lint import AuthoringError

    try:
        yield
    except AuthoringError as error:
        for problem in error.problems:
            print(problem)
        raise typer.Exit(1) from None
