"""Text on every machine with Python: its standard library, as code or as the prose of its docstrings.

Left out are tests, installed packages, and generated files (tables of encodings, build settings, help topics), which
are long and teach nothing. Modules come in the order of the hash of their path: fixed but mixed, so that the first
megabyte and the last tenth are both representative.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import sys
import sysconfig
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .readers import Row

LEFT_OUT = frozenset({"test", "tests", "idle_test", "__pycache__", "encodings", "pydoc_data"})
_DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)  # contain statements; expressions have no docstrings


def stdlib_code(root: Path | None = None) -> Iterator[Row]:
    """Yield `(path, source)` of each module, without empty files and repeats. Raises FileNotFoundError without any."""
    root = root or Path(sysconfig.get_path("stdlib"))
    files = sorted((_path_hash(p, root), p) for p in _modules(root))
    if not files:
        raise FileNotFoundError(f"no Python source under {root}: this Python ships no standard library to read")
    seen = set()
    for _, path in files:
        source = path.read_text(encoding="utf-8")  # text mode: line ends become \n, and the hash is the same everywhere
        if source.strip() and source not in seen:
            seen.add(source)
            yield path.relative_to(root).as_posix(), source


def stdlib_docstrings(root: Path | None = None) -> Iterator[Row]:
    """Yield `(path, prose)`: the docstrings of each module in order, separated by blank lines, without repeats."""
    seen: set[str] = set()
    for path, source in stdlib_code(root):
        prose = [d for d in docstrings(source) if not (d in seen or seen.add(d))]
        if prose:
            yield path, "\n\n".join(prose) + "\n"


def docstrings(source: str) -> list[str]:
    """Return the docstrings of the module, its classes and functions, without indentation, in source order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old modules have invalid escapes
        tree = ast.parse(source)
    found = (ast.get_docstring(node, clean=False) for node in _documented(tree))
    return [clean for text in found if text and (clean := inspect.cleandoc(text).strip())]


def stdlib_licence() -> str:
    """Return the licence according to the licence file of the installation, or a note that the file is missing."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    for folder in (stdlib, Path(sys.base_prefix), stdlib.parent):
        for name in ("LICENSE.txt", "LICENSE"):
            file = folder / name
            if file.is_file() and "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in file.read_text("utf-8"):
                return f"PSF-2.0 (read from {name} of the Python installation)"
    return "no licence file found in the Python installation; Python is published under PSF-2.0"


def stdlib_source() -> tuple[str, str]:
    """Return the name of the source, and the date on which Python was built."""
    version = f"{platform.python_implementation()} {platform.python_version()}"
    return f"standard library of {version}", " ".join(platform.python_build()[1].split())


def _modules(root: Path) -> Iterator[Path]:
    for top in sorted(root.iterdir()):
        if top.name in LEFT_OUT or top.name.removesuffix(".py") not in sys.stdlib_module_names:
            continue  # site-packages, settings of this build, and additions of a distribution
        if top.is_dir():
            yield from (p for p in top.rglob("*.py") if not LEFT_OUT & set(p.relative_to(root).parts))
        elif top.suffix == ".py":
            yield top


def _path_hash(path: Path, root: Path) -> str:
    return hashlib.sha256(path.relative_to(root).as_posix().encode()).hexdigest()


def _documented(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the nodes that may have a docstring, in source order."""
    yield tree
    stack: list[ast.AST] = [*reversed(tree.body)]
    while stack:
        node = stack.pop()
        if isinstance(node, _DOCUMENTED):
            yield node
        stack.extend([child for child in ast.iter_child_nodes(node) if isinstance(child, _HOLDERS)][::-1])
