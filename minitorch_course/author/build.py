"""Build the two committed notebooks from a source: the executed reference and the release.

Building twice gives the same bytes, so that a diff in git shows a change of the source.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from .jit_cache import environment
from .layout import CourseLayout, write
from .lint import AuthoringError
from .source import INSTALL, METADATA, read_source, reference, release

if TYPE_CHECKING:
    from .cells import Notebook

CELL_LIMIT = 600  # seconds
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
Done = Callable[[int, int], None]  # called with the number of finished steps and of all steps


def build(layout: CourseLayout, name: str, done: Done = lambda n, total: None) -> None:
    """Write the reference and the release of a notebook.

    Raises:
      AuthoringError: the source has mistakes, or its outputs cannot be published.
    """
    notebook = read_source(layout.source(name))
    write(layout.reference(name), as_text(execute(notebook, done)))
    write(layout.released(name), as_text(release(notebook)))


def release_to(layout: CourseLayout, name: str, folder: Path) -> Path:
    """Write a notebook's release into a folder, and return its path.

    Raises:
      ValueError: the file exists.
    """
    path = folder / f"{name}.ipynb"
    if path.exists():
        raise ValueError(f"{path} exists: remove it, or give another folder.")
    write(path, as_text(release(read_source(layout.source(name)))))
    return path


def as_text(nb: Any) -> str:
    """Return the content of a notebook's file."""
    return require("nbformat", "Writing a notebook", INSTALL).writes(nb) + "\n"


def execute(notebook: Notebook, done: Done = lambda n, total: None) -> Any:
    """Return the reference with its outputs.

    Raises:
      AuthoringError: an output is an error, a warning, or depends on the machine.
    """
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
    """Yield the outputs that are errors or warnings, or that differ between runs or machines."""
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
        yield f"shows a memory address ({match[0]}), which differs in every run: print something else."
    for path in (str(Path.home()), sys.prefix, str(Path.cwd()), tempfile.gettempdir()):
        if len(path) > 1 and path in text:
            yield f"shows a path of this machine ({path}): print the name of the file only."


def _texts(output: Any) -> Iterator[str]:
    """Yield the texts of an output; no images."""
    if output.output_type == "stream":
        yield output.text
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield content
