"""Library functions that an exercise may not call, found in its syntax tree.

`from jax.nn import softmax as s` is found as well as `jax.nn.softmax`. Names that are built from strings are not:
the sandbox removes the functions.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The usual aliases, for code without its own imports: cells use the imports of cells before them.
USUAL = {"jnp": "jax.numpy", "np": "numpy", "mt": "minitorch", "jsp": "jax.scipy"}


def forbidden_calls(source: str, names: Sequence[str], context: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Return where `source` uses one of the functions `names` (dotted), called or not: pairs of line and name.

    The imports of the cells in `context` count. Source that does not parse uses nothing.
    """
    tree = _parsed(source)
    if not names or not tree:
        return []
    known = dict(_known_after(tuple(context), tuple(names)))
    known |= _aliases(tree, known, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            known.pop(node.name, None)  # Their own function hides an import of that name.
    return sorted({(line, name) for line, name in _uses(tree, known) if name in names})


@lru_cache(maxsize=512)
def _known_after(context: tuple[str, ...], names: tuple[str, ...]) -> Mapping[str, str]:
    """Return what names stand for after some cells. Cached, as they are the same for each student of a class."""
    if not context:
        return USUAL
    known, tree = _known_after(context[:-1], names), _parsed(context[-1])
    return {**known, **_aliases(tree, known, names)} if tree else known


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _aliases(tree: ast.AST, known: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return what names stand for: those that imports bind, and `softmax = jax.nn.softmax`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found |= _from_import(node.module, alias, names)
        elif isinstance(node, ast.Assign) and (value := dotted(node.value, {**known, **found})):
            found |= {target.id: value for target in node.targets if isinstance(target, ast.Name)}
    return found


def _from_import(module: str, alias: ast.alias, names: Sequence[str]) -> dict[str, str]:
    if alias.name != "*":
        return {alias.asname or alias.name: f"{module}.{alias.name}"}
    inside = (name.rpartition(".") for name in names)
    return {last: f"{module}.{last}" for parent, _, last in inside if parent == module}


def _uses(tree: ast.AST, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Call) and (name := dotted(node, known)):
            yield node.lineno, name


def dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    """Return `jax.nn.softmax` for `jax.nn.softmax` and `getattr(jax.nn, "softmax")`; None for other expressions."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=value, attr=attr):
            parent = dotted(value, known)
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attr)), *_]):
            parent = dotted(value, known)
        case _:
            return None
    return f"{parent}.{attr}" if parent else None
