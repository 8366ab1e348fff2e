"""Hide the library functions that an exercise asks students to write.

The kernel sees a copy of our packages in which each such function is a stub that says why it is missing. In JAX and
NumPy only the public names are hidden, and only from students' code, since the libraries call one another. Functions in
`jax._src` stay: Python cannot hide them.
"""

from __future__ import annotations

import ast
import compileall
import shutil
import sys
from typing import TYPE_CHECKING, Any

from .._packages import PACKAGES, package_of
from ..author.resolve import bindings, module_of, resolve
from ..notebook.traceback_location import is_library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

STUB = """def {name}(*args, **kwargs):
    raise RuntimeError({message!r})"""


def message_for(name: str) -> str:
    """Return what a call of the hidden function `name` says."""
    return f"{name} is missing while this notebook is graded: an exercise asks you to write it."


def copy_library(folder: Path, names: Sequence[str]) -> Path:
    """Copy both packages to `folder`, without notebooks, lab files, and their functions among `names` (dotted).

    Names of other libraries are ignored. Returns `folder`.

    Raises:
      ValueError: a name does not exist.
    """
    for package in PACKAGES:
        shutil.copytree(
            package, folder / package.name, ignore=shutil.ignore_patterns("*.ipynb", "lab_files"), dirs_exist_ok=True
        )
    for name in names:
        if package := package_of(name):
            _remove(folder / package.name, name)
    for original in PACKAGES:
        copy = str(folder / original.name)
        compileall.compile_dir(copy, quiet=2, stripdir=copy, prependdir=str(original))
    return folder


def _remove(package: Path, name: str) -> None:
    file, names = resolve(package, name)
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
    """Remove the functions `names` of other libraries from their public modules in this process.

    Libraries still find them.

    Raises:
      ValueError: a name does not exist.
    """
    inside: dict[ModuleType, dict[str, str]] = {}
    for name in names:
        if not package_of(name):
            inside.setdefault(module_of(name), {})[name.rpartition(".")[2]] = name
    for module, attributes in inside.items():
        _hide(module, attributes)


def _hide(module: ModuleType, attributes: Mapping[str, str]) -> None:
    """Remove `attributes` from a module; the values are the dotted names for the message."""
    hidden = {attribute: vars(module).pop(attribute) for attribute in attributes}
    original = vars(module).get("__getattr__")

    def lookup(wanted: str) -> Any:
        if wanted not in hidden:
            return original(wanted) if original else _no_such(module, wanted)
        if is_library(sys._getframe(1).f_code.co_filename):
            return hidden[wanted]
        raise RuntimeError(message_for(attributes[wanted]))

    vars(module)["__getattr__"] = lookup


def _no_such(module: ModuleType, wanted: str) -> Any:
    raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")
