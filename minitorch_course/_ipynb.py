"""Notebook files as students save them: parsed without trusting them, and their exercises found.

Students' commands and grading read with this one parser, so that what one accepts the other accepts.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MIB = 2**20
MAX_NOTEBOOK_BYTES = 32 * MIB  # figures included
MAX_CODE = 2**20  # characters of all code cells together
MAX_CELLS = 2000


@dataclass(frozen=True)
class StudentCell:
    """A cell of a student's notebook. What cannot be read of it counts as missing.

    Attributes:
      id: its id, or "".
      code: whether it holds code.
      source: its text, without half characters.
      kind: its kind in the release; `setup` for a cell that the student added.
      exercise: the exercise that its metadata name, or "".
      stretch: whether the exercise is optional.
      execution_count: Jupyter's counter when the cell was last run; 0 if it was not.
      outputs: its saved outputs.
    """

    id: str
    code: bool
    source: str
    kind: str = "setup"
    exercise: str = ""
    stretch: bool = False
    execution_count: int = 0
    outputs: tuple[dict[str, Any], ...] = ()


def parse_ipynb(content: bytes) -> list[StudentCell]:
    """Return the cells of a notebook file.

    Raises:
      ValueError: it is not a notebook of format 4, or is too large. The message is for its author.
    """
    if len(content) > MAX_NOTEBOOK_BYTES:
        raise ValueError(f"The notebook is larger than {MAX_NOTEBOOK_BYTES // MIB} MB: clear its outputs and save it.")
    notebook = parse_json(content)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(cells, list):
        raise ValueError("The file is not a notebook of format 4: open it in JupyterLab, and save it again.")
    if len(cells) > MAX_CELLS:
        raise ValueError(f"The notebook has more than {MAX_CELLS} cells.")
    read = [_cell(cell) for cell in cells if isinstance(cell, dict)]
    if sum(len(cell.source) for cell in read if cell.code) > MAX_CODE:
        raise ValueError(f"The notebook holds more than {MAX_CODE // 1000} thousand characters of code.")
    return read


def parse_json(content: bytes) -> Any:
    """Return the JSON of a notebook file.

    Raises:
      ValueError: it is not JSON in UTF-8. The message is for its author.
    """
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("The notebook is not written in UTF-8: open it in JupyterLab, and save it again.") from None
    except RecursionError:
        raise ValueError("The notebook's JSON is nested too deep.") from None
    except ValueError as error:
        raise ValueError(f"The notebook is damaged: it is not JSON ({str(error)[:200]}).") from None


def printable(text: str) -> str:
    """Return text that can be written in UTF-8, which file names and JSON need not be."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _cell(cell: dict[str, Any]) -> StudentCell:
    source, metadata = cell.get("source"), _dict(cell.get("metadata"))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    about, tags = _dict(metadata.get("minitorch")), metadata.get("tags")
    count, outputs = cell.get("execution_count"), cell.get("outputs")
    return StudentCell(
        _text(cell.get("id")),
        cell.get("cell_type") == "code",
        printable(source) if isinstance(source, str) else "",
        _text(about.get("kind")) or "setup",
        _text(about.get("exercise")),
        isinstance(tags, list) and "stretch" in tags,
        count if isinstance(count, int) else 0,
        tuple(output for output in outputs if isinstance(output, dict)) if isinstance(outputs, list) else (),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return printable(value)[:100] if isinstance(value, str) else ""


Cell = TypeVar("Cell", bound=StudentCell)


def find_exercises(
    released: Mapping[str, str], given: Collection[str], ids: Collection[str], cells: Sequence[Cell]
) -> dict[str, Cell]:
    """Return the student's cell of each exercise that is there.

    It is the first with the exercise's id; else, since some editors give cells new ids, the first whose metadata name
    the exercise; else, since some drop metadata and students merge cells, the first that defines the same functions.

    Args:
      released: the released code of each exercise, by its name.
      given: the texts of all other cells of the release, which do not count as answers.
      ids: the ids of all cells of the release.
      cells: the student's.
    """
    code, unchanged, found = [cell for cell in cells if cell.code], {text.strip() for text in given}, {}
    functions_of = cache(defined_functions)  # Cells are parsed only if an exercise is not found otherwise, and once.
    for name, stub in released.items():
        by_id = (cell for cell in code if cell.id == name)
        by_metadata = (cell for cell in code if (cell.kind, cell.exercise) == ("exercise", name) and cell.id not in ids)
        if cell := next(by_id, next(by_metadata, None)):
            found[name] = cell
        elif functions := defined_functions(stub):
            changed = (cell for cell in code if cell.source.strip() not in unchanged)
            if cell := next((cell for cell in changed if functions <= functions_of(cell.source)), None):
                found[name] = cell
    return found


def defined_functions(source: str) -> set[str]:
    """Return the functions and classes that a cell defines; none if it is not Python."""
    try:
        body = ast.parse(as_python(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def as_python(source: str) -> str:
    """Return the Python that IPython makes of a cell: magics and shell commands become calls of `get_ipython()`.

    A magic of the whole cell, such as `%%time`, becomes `pass`, and its body stays.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    first, _, rest = source.lstrip("\n").partition("\n")
    return TransformerManager().transform_cell(f"pass\n{rest}" if first.startswith("%%") else source)
