"""The source of a notebook, `notebooks/NN_topic.py` in jupytext's percent format, and the notebooks built from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from .cells import KINDS, Cell, Notebook, solved, title_of, unsolved
from .lint import AuthoringError, lint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["AuthoringError", "Cell", "Notebook", "parse_source", "read_cells", "read_source", "reference", "release"]

INSTALL = "pip install 'minitorch-course[course]'"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read_source(path: Path) -> Notebook:
    """Return the notebook at `path`.

    Raises:
      AuthoringError: the source has mistakes.
      OSError: the file cannot be read.
    """
    notebook = parse_source(path)
    if found := lint(notebook):
        raise AuthoringError(found)
    return notebook


def parse_source(path: Path) -> Notebook:
    """Return the notebook at `path`, without looking for mistakes in it."""
    cells = tuple(read_cells(path))
    return Notebook(path.stem, title_of(cells), cells, path)


def read_cells(path: Path) -> list[Cell]:
    """Return the cells of a percent-format file, whatever they hold.

    Raises:
      AuthoringError: it is not clear where cells begin.
    """
    text = path.read_text(encoding="utf-8")
    read = require("jupytext", "Reading a notebook's source", INSTALL).reads(text, "py:percent").cells
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if re.match(r"# ?%%", line)]
    if len(headers) != len(read):
        first = headers[0] + 1 if headers else 1
        reason = "some text stands before the first `# %%`, or a line in a string begins with `# %%`."
        raise AuthoringError([f"{path}:{first}: {len(headers)} cells are marked and {len(read)} were read: {reason}"])
    ids = _Ids()
    return [_cell(cell, lines, header, ids) for cell, header in zip(read, headers, strict=True)]


def _cell(read: Any, lines: Sequence[str], header: int, ids: _Ids) -> Cell:
    line = header + 1
    while line < len(lines) and not lines[line].strip():
        line += 1
    if read.cell_type != "code":
        return Cell("markdown", ids.prose(), (), {}, read.source, line + 1)
    options = {k: v for k, v in read.metadata.items() if not k.startswith("lines_to_")}
    name, tags = str(options.pop("name", "")), tuple(options.pop("tags", ()))
    kind = next((tag for tag in tags if tag in KINDS), "setup")
    return Cell(kind, ids.code(name), tags, options, read.source, line + 1)


class _Ids:
    """Ids of prose cells, derived from the code cell before them: they stay when text is added elsewhere."""

    def __init__(self) -> None:
        self.before, self.count = "top", 0

    def code(self, name: str) -> str:
        self.before, self.count = name, 0
        return name

    def prose(self) -> str:
        self.count += 1
        return f"{self.before}-text" + (f"-{self.count}" if self.count > 1 else "")


def reference(notebook: Notebook) -> Any:
    """Return the whole notebook with solutions and hidden tests, not executed, as an nbformat notebook."""
    return _notebook(notebook, [(cell, solved(cell.source)) for cell in notebook.cells])


def release(notebook: Notebook) -> Any:
    """Return the notebook for students: tasks for solutions, no hidden tests, checks folded.

    Checks are folded since their `mistakes` hint at the answers.
    """
    released = _notebook(notebook, [(cell, unsolved(cell)) for cell in notebook.cells if cell.kind != "hidden-test"])
    for cell in released.cells:
        if cell.metadata.get("minitorch", {}).get("kind") == "check":
            cell.metadata["jupyter"] = {"source_hidden": True}
    return released


def _notebook(notebook: Notebook, cells: Iterable[tuple[Cell, str]]) -> Any:
    about = {"notebook": notebook.name, "title": notebook.title, "points": notebook.points}
    v4 = require("nbformat.v4", "Building a notebook", INSTALL)
    built = [_nbformat_cell(v4, cell, source) for cell, source in cells]
    return v4.new_notebook(cells=built, metadata=METADATA | {"minitorch": about})


def _nbformat_cell(v4: Any, cell: Cell, source: str) -> Any:
    if cell.kind == "markdown":
        return v4.new_markdown_cell(cell.source, id=cell.name)
    about = {"kind": cell.kind} | {k: v for k, v in cell.options.items() if k in ("exercise", "points")}
    if cell.kind == "exercise":
        about["exercise"] = cell.name
    metadata = {"minitorch": about} | ({"tags": list(cell.tags)} if cell.tags else {})
    return v4.new_code_cell(source, id=cell.name, metadata=metadata)
