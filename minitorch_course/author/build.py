"""From a source to the two notebooks that are committed: the executed reference and the release.

Building twice gives the same bytes, so that a change in git is a change that somebody made.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from minitorch._optional import require

from .cells import Notebook
from .jit_cache import environment
from .layout import CourseLayout, write
from .lint import AuthoringError
from .source import INSTALL, METADATA, read_source, reference, release

CELL_LIMIT = 600  # seconds
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
Done = Callable[[int, int], None]  # Told how many of how many things are done.


def build(places: CourseLayout, name: str, done: Done = lambda n, total: None) -> None:
    """Make the reference and the release of a notebook. Raises AuthoringError for what its author did wrong."""
    notebook = read_source(places.source(name))
    write(places.reference(name), as_text(executed(notebook, done)))
    write(places.released(name), as_text(release(notebook)))


def release_to(places: CourseLayout, name: str, folder: Path) -> Path:
    """Write a notebook's release into a folder. Raises ValueError where it would replace a file."""
    path = folder / f"{name}.ipynb"
    if path.exists():
        raise ValueError(f"{path} exists: remove it, or give another folder.")
    write(path, as_text(release(read_source(places.source(name)))))
    return path


def as_text(nb: Any) -> str:
    """A notebook as it stands in its file."""
    return require("nbformat", "Writing a notebook", INSTALL).writes(nb) + "\n"


def executed(notebook: Notebook, done: Done = lambda n, total: None) -> Any:
    """The reference with its outputs, cleaned. Raises AuthoringError for outputs that should not be published."""
    nb = reference(notebook)
    nbclient = require("nbclient", "Executing a notebook", INSTALL)
    order = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    client = nbclient.NotebookClient(
        nb,
        on_cell_executed=lambda cell, cell_index, execute_reply: done(order.index(cell_index) + 1, len(order)),
        kernel_name="python3",
        timeout=CELL_LIMIT,
        allow_errors=True,
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(notebook.path.parent)}},
    )
    try:
        client.execute(env=environment())
    except (nbclient.exceptions.CellTimeoutError, nbclient.exceptions.DeadKernelError) as error:
        raise AuthoringError([f"{notebook.path}:1: {' '.join(str(error).split())}"]) from None
    nb.metadata = METADATA | {"minitorch": nb.metadata["minitorch"]}
    if found := list(_unfit(notebook, nb)):
        raise AuthoringError(found)
    return nb


def _unfit(notebook: Notebook, nb: Any) -> Iterator[str]:
    """Outputs that are errors, warnings, or differ from run to run and from machine to machine."""
    lines = {cell.name: cell.line for cell in notebook.cells}
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            for reason in _reasons(output):
                yield f"{notebook.path}:{lines[cell.id]}: the cell {cell.id!r} {reason}"


def _reasons(output: Any) -> Iterator[str]:
    if output.output_type == "error":
        yield f"fails: {output.ename}: {output.evalue}"
        return
    if output.get("name") == "stderr":
        yield f"writes a warning or other text to standard error: {output.text.strip()[:300]}"
        return
    text = "\n".join(_texts(output))
    if match := ADDRESS.search(text):
        yield f"shows a memory address ({match[0]}), which differs in every run: print the object otherwise."
    for path in (str(Path.home()), sys.prefix, str(Path.cwd()), tempfile.gettempdir()):
        if len(path) > 1 and path in text:
            yield f"shows a path of this machine ({path}): print the name of the file only."


def _texts(output: Any) -> Iterator[str]:
    """What an output says in text; not images."""
    if output.output_type == "stream":
        yield output.text
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield content
