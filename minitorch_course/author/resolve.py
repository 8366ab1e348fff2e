"""Where a function that an exercise forbids is defined: what it needs to be known to take it away."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .._packages import LIBRARY


def missing(names: Sequence[str]) -> Iterator[str]:
    """What is wrong with each of the dotted names that is not there, in this package or another."""
    for name in names:
        try:
            definition(LIBRARY, name) if name.partition(".")[0] == LIBRARY.name else module_of(name)
        except ValueError as error:
            yield str(error)


def definition(package: Path, name: str) -> tuple[Path, list[str]]:
    """The file that defines `name`, and its name in there: `["Tape", "backward"]`. Follows imports."""
    parts = name.split(".")[1:]
    path = package
    while len(parts) > 1 and ((path / parts[0]).is_dir() or (path / f"{parts[0]}.py").exists()):
        path = path / parts.pop(0)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if parts and file.exists():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if bindings(tree, parts):
            return file, parts
        for origin in _origins(tree, parts[0], file.relative_to(package.parent)):
            return definition(package, ".".join([origin, *parts[1:]]))
    raise ValueError(f"{name} is not in minitorch: mend the `forbids` of the exercise that names it.")


def bindings(tree: ast.AST, names: Sequence[str]) -> list[Any]:
    """The statements that define `names[0]`, or `names[1]` in the class `names[0]`."""
    found = [node for node in getattr(tree, "body", []) if names[0] in _bound(node)]
    if len(names) == 1:
        return found
    return [inner for node in found if isinstance(node, ast.ClassDef) for inner in bindings(node, names[1:])]


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


def module_of(name: str) -> ModuleType:
    """The module that holds the function `name`. Raises ValueError where there is none."""
    parent, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(parent)
    except (ImportError, ValueError):
        raise ValueError(f"{name}: {parent or name} is no module that can be imported.") from None
    if attribute not in vars(module):
        raise ValueError(f"{name} does not exist: mend the `forbids` of the exercise that names it.")
    return module
