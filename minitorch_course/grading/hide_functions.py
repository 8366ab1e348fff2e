"""The library without the functions that an exercise asks for.

Of minitorch itself a copy is made, in which each such function is one line that says why it is not there: the kernel
sees no other. Of JAX and NumPy the public names go, and only for students' code, since the libraries call one another:
what stands in `jax._src` stays, for Python has no place to hide it.
"""

from __future__ import annotations

import ast
import compileall
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .._packages import LIBRARY, PACKAGES
from ..author.resolve import bindings, definition, module_of
from ..notebook.traceback_location import is_library

STUB = """def {name}(*args, **kwargs):
    raise RuntimeError({message!r})"""


def message_for(name: str) -> str:
    return f"{name} is not there while this notebook is graded: an exercise asks to write it."


def copy_library(folder: Path, names: Sequence[str]) -> Path:
    """Copy both packages to `folder`, without the functions `names` (dotted; only those of minitorch count) and without
    notebooks and labs.

    Returns the copied `minitorch`. Raises ValueError for a name that does not exist.
    """
    for package in PACKAGES:
        shutil.copytree(
            package, folder / package.name, ignore=shutil.ignore_patterns("*.ipynb", "lab_files"), dirs_exist_ok=True
        )
    package = folder / LIBRARY.name
    for name in names:
        if name.partition(".")[0] == LIBRARY.name:
            _remove(package, name)
    for original in PACKAGES:
        copy = str(folder / original.name)
        compileall.compile_dir(copy, quiet=2, stripdir=copy, prependdir=str(original))
    return package


def _remove(package: Path, name: str) -> None:
    file, names = definition(package, name)
    source = file.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in reversed(bindings(ast.parse(source), names)):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        stub = STUB.format(name=names[-1], message=message_for(name)).splitlines()
        lines[first - 1 : node.end_lineno] = [" " * node.col_offset + line for line in stub]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        stale.unlink()


def hide(names: Sequence[str]) -> None:
    """In this process, take the functions `names` of other libraries from their public modules.

    Libraries still find them. Raises ValueError for a name that is not there.
    """
    inside: dict[ModuleType, dict[str, str]] = {}
    for name in names:
        if name.partition(".")[0] != LIBRARY.name:
            inside.setdefault(module_of(name), {})[name.rpartition(".")[2]] = name
    for module, attributes in inside.items():
        _hide(module, attributes)


def _hide(module: ModuleType, attributes: Mapping[str, str]) -> None:
    """Take `attributes` out of a module, each with the dotted name to speak of."""
    hidden = {attribute: vars(module).pop(attribute) for attribute in attributes}
    otherwise = vars(module).get("__getattr__")

    def lookup(wanted: str) -> Any:
        if wanted not in hidden:
            return otherwise(wanted) if otherwise else _no_such(module, wanted)
        if is_library(sys._getframe(1).f_code.co_filename):
            return hidden[wanted]
        raise RuntimeError(message_for(attributes[wanted]))

    vars(module)["__getattr__"] = lookup


def _no_such(module: ModuleType, wanted: str) -> Any:
    raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")
