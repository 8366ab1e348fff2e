"""Hide the library functions that an exercise asks students to write.

The kernel sees a copy of our packages in which each such function is a stub that says why it is missing. In JAX and
NumPy a function is removed from every public module that holds it, under each of its names, and numerical libraries
still find it, since they call one another. Functions in `jax._src` stay: Python cannot hide them, and what a student's
code uses of it is found in its text (`inspect_code`).
"""

from __future__ import annotations

import _frozen_importlib
import ast
import compileall
import shutil
import sys
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .._packages import PACKAGES, package_of
from ..author.forbidden import with_families
from ..author.resolve import bindings, module_of, resolve, unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Libraries that call functions of JAX and NumPy. Others may look up any name for a student's code.
CALLERS = ("jax", "jaxlib", "numpy", "scipy", "matplotlib", "ml_dtypes", "opt_einsum", "minitorch", "minitorch_course")

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
    """Remove the functions `names` of other libraries, and their families, from the public modules that hold them.

    Libraries still find them.

    Raises:
      ValueError: a name does not exist.
    """
    wanted: dict[int, str] = {}
    inside: dict[ModuleType, dict[str, str]] = {}
    for name in sorted(with_families(tuple(names))):
        if not package_of(name) and (name in names or _exists(name)):
            module, attribute = module_of(name), name.rpartition(".")[2]
            inside.setdefault(module, {})[attribute] = name
            wanted[id(vars(module)[attribute])] = name
    for module in _public_modules() if wanted else ():
        found = {attribute: wanted[id(value)] for attribute, value in vars(module).items() if id(value) in wanted}
        if found and not found.keys() & _names_in_functions(module):
            inside.setdefault(module, {}).update(found)
    for module, attributes in inside.items():
        _hide(module, attributes)


def _exists(name: str) -> bool:
    """Return whether this version of a library has the function."""
    return not list(unresolved([name]))


def _public_modules() -> Iterator[ModuleType]:
    """Yield the loaded public modules of the libraries."""
    for name, module in list(sys.modules.items()):
        parts = name.split(".")
        if parts[0] in CALLERS and type(module) is ModuleType and not any(part.startswith("_") for part in parts):
            yield module


def _names_in_functions(module: ModuleType) -> set[str]:
    """Return the names that the functions of a module look up in it: these cannot be removed from it."""
    functions = (f for f in vars(module).values() if isinstance(f, FunctionType) and f.__globals__ is vars(module))
    return {name for function in functions for code in _with_inner(function.__code__) for name in code.co_names}


def _hide(module: ModuleType, attributes: Mapping[str, str]) -> None:
    """Remove `attributes` from a module; the values are the dotted names for the message."""
    hidden = {attribute: vars(module).pop(attribute) for attribute in attributes}
    original = vars(module).get("__getattr__")

    def lookup(wanted: str) -> Any:
        if wanted not in hidden:
            return original(wanted) if original else _no_such(module, wanted)
        if _is_of_library(sys._getframe(1).f_code):
            return hidden[wanted]
        raise RuntimeError(message_for(attributes[wanted]))

    vars(module)["__getattr__"] = lookup


def _is_of_library(code: CodeType) -> bool:
    """Return whether the code is in the file that it claims to be from, and the file belongs to a numerical library."""
    if _known.get(id(code)) is code:
        return True
    path = Path(code.co_filename)
    if code is not FROM_IMPORT and not (_folders().intersection(path.parents) and code in _codes_of(path)):
        return False
    _known[id(code)] = code
    return True


FROM_IMPORT = vars(_frozen_importlib)[
    "_handle_fromlist"
].__code__  # It asks whether a name exists, for `from jax import grad`.
_known: dict[int, CodeType] = {}


@cache
def _folders() -> frozenset[Path]:
    found = (sys.modules[name] for name in CALLERS if name in sys.modules)
    return frozenset(Path(folder) for module in found for folder in getattr(module, "__path__", ()))


@cache
def _codes_of(file: Path) -> frozenset[CodeType]:
    """Return the code of all functions in a file of a library, which no sandbox can write."""
    try:
        code = SourceFileLoader("library", str(file)).get_code("library")
    except (OSError, ImportError, SyntaxError):
        return frozenset()
    return frozenset(_with_inner(code)) if code else frozenset()


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


def _no_such(module: ModuleType, wanted: str) -> Any:
    raise AttributeError(f"module {module.__name__!r} has no attribute {wanted!r}")
