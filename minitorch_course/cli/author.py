"""`minitorch course build | verify | new | release`: for those who write notebooks and hand them out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from minitorch.cli.bar import bar

Numbers = Annotated[
    list[str] | None, typer.Argument(help="Notebooks, such as 02 or 02_autodiff; all if none is given.")
]
Root = Annotated[Path, typer.Option(help="Folder of the repository.")]


def build(notebooks: Numbers = None, root: Root = Path()) -> None:
    """Make a notebook's reference and its release from its source.

    notebooks/02_autodiff.py becomes notebooks/02_autodiff.ipynb, with outputs, and
    notebooks/released/02_autodiff.ipynb, without solutions and hidden tests. Commit all three.
    """
    from ..author.build import build
    from ..author.layout import CourseLayout

    layout = CourseLayout(root)
    for name in layout.find(notebooks or []):
        with _problems_in_lines(), bar(f"executing {name}") as done:
            build(layout, name, done)
        print(f"built {layout.reference(name)} and {layout.released(name)}")


def verify(
    notebooks: Numbers = None,
    root: Root = Path(),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at once; if not given, one a core.")] = None,
) -> None:
    """Prove that a notebook can be taught with.

    Prints a line for each thing that is wrong with it, with file and line number, and exits with 1 if there is one.

    The committed notebooks are what the source makes. An empty notebook earns nothing and the reference everything.
    Each wrong answer loses the points that it should and gets its message. Each mutant, the reference with one small slip,
    loses points. Executed again, the reference shows the same.
    """
    from ..author.layout import CourseLayout
    from ..author.lint import AuthoringError
    from ..author.runner_pool import cores
    from ..author.verify import verify

    layout, all_well = CourseLayout(root), True
    for name in layout.find(notebooks or []):
        try:
            with bar(f"verifying {name}") as done:
                found = verify(layout, name, jobs or cores(), done)
        except AuthoringError as error:
            found = error.problems
        for problem in found:
            print(problem)
        all_well = all_well and not found
        print(f"{name}: {len(found)} to mend" if found else f"{name}: ok")
    raise typer.Exit(0 if all_well else 1)


def new(
    name: Annotated[str, typer.Argument(help="Number and topic in small letters, such as 15_fine_tuning.")],
    root: Root = Path(),
) -> None:
    """Lay down a small notebook to start from.

    It has one exercise, its check, its hidden test and four wrong answers, and is complete: `minitorch course build`
    and then `minitorch course verify` pass.
    """
    from ..author.layout import CourseLayout
    from ..author.scaffold import scaffold

    for path in scaffold(CourseLayout(root), name):
        print(f"wrote {path}")
    print(f"Next: minitorch course build {name[:2]}, then minitorch course verify {name[:2]}")


def release(
    notebooks: Numbers = None,
    out: Annotated[Path, typer.Option(help="Folder to put the notebooks into.")] = Path("released"),
    root: Root = Path(),
) -> None:
    """Write the notebooks that students get into a folder.

    They have no solutions and no hidden tests. No file is replaced.
    """
    from ..author.build import release_to
    from ..author.layout import CourseLayout

    layout = CourseLayout(root)
    for name in layout.find(notebooks or []):
        with _problems_in_lines():
            print(f"released {release_to(layout, name, out)}")


@contextlib.contextmanager
def _problems_in_lines() -> Iterator[None]:
    """An author's mistakes are printed one a line, and the command fails."""
    from ..author.lint import AuthoringError

    try:
        yield
    except AuthoringError as error:
        for problem in error.problems:
            print(problem)
        raise typer.Exit(1) from None
