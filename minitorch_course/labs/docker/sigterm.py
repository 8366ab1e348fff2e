"""Whether a program in Python handles SIGTERM, by its syntax tree."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..review import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "serve.py"
REGISTER = {"signal", "add_signal_handler"}  # signal.signal, and the method of an event loop in asyncio
WAIT = {"sigwait", "sigwaitinfo", "sigtimedwait"}
IGNORE = {"SIG_IGN", "SIG_DFL"}
OWN_HANDLER = {"uvicorn.run"}  # servers that handle SIGTERM themselves


def handles_sigterm(folder: Path) -> Iterator[Comment]:
    """Check that the server shuts down on SIGTERM."""
    try:
        source = (folder / SERVER).read_bytes()
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f"{SERVER}:{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else SERVER
        yield Comment(where, f"is not valid Python: {getattr(error, 'msg', error)}.")
        return
    last = max(_registrations(tree), default=None)
    if last is None:
        text = source.decode("utf-8", "replace").splitlines()
        line = next((number for number, line in enumerate(text, 1) if "serve_forever" in line), 1)
        yield Comment(
            f"{SERVER}:{line}",
            "SIGTERM is not handled, and a container's first process ignores signals without a handler. Use"
            " signal.signal with a handler that shuts down the server from another thread.",
        )
    elif not last[1]:
        yield Comment(
            f"{SERVER}:{last[0]}",
            "ignores SIGTERM from here on: the server does not shut down, and is killed after ten seconds. Use"
            " a handler that shuts down the server from another thread.",
        )


def _registrations(tree: ast.Module) -> Iterator[tuple[int, bool]]:
    """Yield the line of each call that sets what SIGTERM does, and whether it does something."""
    names = _values(tree)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    unused = {name for name in functions if not _is_used(tree, name)}
    dead = {inner for name in unused for inner in ast.walk(functions[name])}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node not in dead):
        called = names.get(ast.unparse(call.func), [call.func])[0]
        name, arguments = _name(called), call.args
        if ast.unparse(call.func) in OWN_HANDLER or (name in WAIT and _means_sigterm(arguments[:1], names)):
            yield call.lineno, True
        elif name in REGISTER and len(arguments) > 1 and _means_sigterm(arguments[:1], names):
            yield call.lineno, _does_something(arguments[1], functions, names)


def _values(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Return the expressions that each name can stand for: assigned, or one after the other in a loop."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                found.setdefault(ast.unparse(target), []).append(node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            found.setdefault(ast.unparse(node.target), []).append(node.iter)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname:
                    found.setdefault(alias.asname, []).append(ast.Name(alias.name))
    return found


def _means_sigterm(expressions: list[ast.expr], names: dict[str, list[ast.expr]]) -> bool:
    """Return whether one of the expressions is, or contains, SIGTERM."""
    seen: set[str] = set()
    todo = list(expressions)
    while todo:
        node = todo.pop()
        if _name(node) == "SIGTERM" or (isinstance(node, ast.Constant) and node.value in (15, "SIGTERM")):
            return True
        written = ast.unparse(node)
        if written in names and written not in seen:
            seen.add(written)
            todo += names[written]
        else:
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    return False


def _does_something(handler: ast.expr, functions: dict, names: dict[str, list[ast.expr]]) -> bool:
    handler = names.get(ast.unparse(handler), [handler])[-1]
    if isinstance(handler, ast.Lambda):
        return not isinstance(handler.body, ast.Constant)
    name = _name(handler)
    if name in functions:
        return any(not isinstance(line, ast.Pass) and not _is_constant(line) for line in functions[name].body)
    return name not in IGNORE and not isinstance(handler, ast.Constant)


def _is_constant(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr | ast.Return) and isinstance(line.value, ast.Constant | None)


def _is_used(tree: ast.Module, name: str) -> bool:
    return any(
        _name(node) == name for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)
    ) or name.startswith(("__", "do_"))


def _name(node: ast.expr) -> str:
    """Return the last name of `a.b.c`; an empty string for another expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
