"""Find where a function that an exercise forbids is defined, so that grading can remove it."""

from __future__ import annotations

import ast
import importlib
from typing import TYPE_CHECKING, Any

from .._packages import package_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import ModuleType


def unresolved(names: Sequence[str]) -> Iterator[str]:
    """Yield a message for each dotted name that does not exist, in our packages or in another library."""
    for name in names:
        try:
            resolve(package, name) if (package := package_of(name)) else module_of(name)
        except ValueError as error:
            yield str(error)


def resolve(package: Path, name: str) -> tuple[Path, list[str]]:
    """Return the file that defines `name`, and its name in there: `["Tape", "backward"]`. Follows imports.

    Raises:
      ValueError: the package has no such function.
    """
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
            return resolve(package, ".".join([origin, *parts[1:]]))
    raise ValueError(f"{name} is not in {package.name}: correct the `forbids` of the exercise that names it.")


def bindings(tree: ast.AST, names: Sequence[str]) -> list[Any]:
    """Return the statements that define `names[0]`, or `names[1]` in the class `names[0]`."""
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
    """Yield where a file imports `name` from, by a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    module = [*file.parts[: -node.level], *([node.module] if node.module else [])]
                    yield ".".join([*module, alias.name])


def module_of(name: str) -> ModuleType:
    """Return the module that holds the function `name`.

    Raises:
      ValueError: there is no such module or function.
    """
    parent, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(parent)
    except (ImportError, ValueError):
        raise ValueError(f"{name}: {parent or name} cannot be imported.") from None
    if attribute not in vars(module):
        raise ValueError(f"{name} does not exist: correct the `forbids` of the exercise that names it.")
    return module
