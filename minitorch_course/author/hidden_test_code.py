"""The code of a hidden test: whole for the answer key, without mistakes and tolerances for submissions."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from ..notebook.traceback_location import TEST_BEGINS

if TYPE_CHECKING:
    from .cells import Cell

BEGIN = TEST_BEGINS + "{name!r})\n"


def code_for_key(cell: Cell) -> str:
    """Return the code that runs in the reference."""
    return BEGIN.format(name=cell.name) + cell.source


def code_for_submission(cell: Cell) -> str:
    """Return the code that runs next to a student's: it holds no expected value and no message."""
    return BEGIN.format(name=cell.name) + _without_mistakes(cell.source)


@lru_cache(maxsize=512)
def _without_mistakes(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "report":
            node.args, node.keywords = node.args[:1], []
    return ast.unparse(tree)
