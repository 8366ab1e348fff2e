"""The library without the functions that an exercise asks for.

Of minitorch itself a copy is made, in which each such function is one line that says why it is not there: the kernel
sees no other. Of JAX and NumPy the public names go, and only for students' code, since the libraries call one another:
what stands in `jax._src` stays, for Python has no place to hide it.
"""

from __future__ import annotations

import ast
import compileall
import importlib
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..notebook.frames import is_library

PACKAGE = Path(__file__).resolve().parents[2]
STUB = """def {name}(*args, **kwargs):
    raise RuntimeError({message!r})"""


def message_for(name: str) -> str:
    return f"{name} is not there while this notebook is graded: an exercise asks to write it."


def copy_library(folder: Path, names: Sequence[str]) -> Path:
    """A copy of this package in `folder`, without the functions `names` (dotted; others than minitorch's are left out)
    and without the released notebooks.

    Returns the copied package. Raises ValueError for a name that is not there.
    """
    package = folder / PACKAGE.name
    released = PACKAGE / "course"
    shutil.copytree(
        PACKAGE, package, ignore=lambda path, _: ["released"] if Path(path) == released else [], dirs_exist_ok=True
    )
    for name in names:
        if name.partition(".")[0] == PACKAGE.name:
            _remove(package, name)
    compileall.compile_dir(package, quiet=2, stripdir=str(package), prependdir=str(PACKAGE))
    return package


def _remove(package: Path, name: str) -> None:
    file, names = _definition(package, name)
    source = file.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in reversed(_bindings(ast.parse(source), names)):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        stub = STUB.format(name=names[-1], message=message_for(name)).splitlines()
        lines[first - 1 : node.end_lineno] = [" " * node.col_offset + line for line in stub]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        stale.unlink()


def _definition(package: Path, name: str) -> tuple[Path, list[str]]:
    """The file that defines `name`, and its name in there: `["Tape", "backward"]`. Follows imports."""
    parts = name.split(".")[1:]
    path = package
    while parts and ((path / parts[0]).is_dir() or (path / f"{parts[0]}.py").exists()):
        path = path / parts.pop(0)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if parts and file.exists():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if _bindings(tree, parts):
            return file, parts
        for origin in _origins(tree, parts[0], file.relative_to(package.parent)):
            return _definition(package, ".".join([origin, *parts[1:]]))
    raise ValueError(f"{name} is not in minitorch: mend the `forbids` of the exercise that names it.")


def _bindings(tree: ast.AST, names: Sequence[str]) -> list[Any]:
    """The statements that define `names[0]`, or `names[1]` in the class `names[0]`."""
    found = [node for node in getattr(tree, "body", []) if names[0] in _bound(node)]
    if len(names) == 1:
        return found
    return [inner for node in found if isinstance(node, ast.ClassDef) for inner in _bindings(node, names[1:])]


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _origins(tree: ast.Module, name: str, file: Path) -> Iterator[str]:
    """Where a file imports `name` from, by a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    module = [*file.parts[: -node.level], *([node.module] if node.module else [])]
                    yield ".".join([*module, alias.name])


def hide(names: Sequence[str]) -> None:
    """In this process, take the functions `names` of other libraries from their public modules.

    Libraries still find them. Raises ValueError for a name that is not there.
    """
    inside: dict[ModuleType, dict[str, str]] = {}
    for name in names:
        if name.partition(".")[0] != PACKAGE.name:
            inside.setdefault(_module_of(name), {})[name.rpartition(".")[2]] = name
    for module, attributes in inside.items():
        _hide(module, attributes)


def _module_of(name: str) -> ModuleType:
    parent, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(parent)
    except (ImportError, ValueError):
        raise ValueError(f"{name}: {parent or name} is no module that can be imported.") from None
    if attribute not in vars(module):
        raise ValueError(f"{name} does not exist: mend the `forbids` of the exercise that names it.")
    return module


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
