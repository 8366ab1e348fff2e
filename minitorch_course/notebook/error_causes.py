"""Causes of errors that need more than a text with gaps: functions of the match, the error and the location."""

from __future__ import annotations

import ast
import difflib
import re
from typing import TYPE_CHECKING, Any

from minitorch import ops

if TYPE_CHECKING:
    from .traceback_location import Location


def in_place_update(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Suggest the line that works, if the line was `x[i] = y` or `x[i] += y`."""
    example = "x = x.at[i].set(y)"
    if location and (statement := _statement(location)) is not None:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        operation = "set" if isinstance(statement, ast.Assign) else UPDATES.get(type(statement.op), "set")
        if isinstance(target, ast.Subscript):
            array, value = ast.unparse(target.value), ast.unparse(statement.value)
            index = ast.unparse(target)[len(array) + 1 : -1]
            example = f"{array} = {array}.at[{index}].{operation}({value})"
    return f"JAX arrays cannot be changed in place: make a new one, `{example}`."


UPDATES: dict[type[ast.operator], str] = {ast.Add: "add", ast.Mult: "multiply", ast.Div: "divide"}


def _statement(location: Location) -> ast.Assign | ast.AugAssign | None:
    try:
        statement = ast.parse(location.source).body[0]
    except (SyntaxError, IndexError):
        return None
    return statement if isinstance(statement, ast.Assign | ast.AugAssign) else None


def broadcast(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Name the axes whose sizes do not match."""
    shapes = [tuple(map(int, re.findall(r"\d+", text))) for text in re.findall(r"\(([\d, ]*)\)", match[1])]
    clash = next(filter(None, (_clash(a, b) for i, a in enumerate(shapes) for b in shapes[:i])), None)
    text = " and ".join(map(str, dict.fromkeys(shapes)))
    start = f"The shapes {text} do not broadcast"
    if clash is None:
        return f"{start}."
    return (
        f"{start}: axes are matched from the last one on, and size {clash[0]} does not match {clash[1]}. Is an axis of"
        " size 1 missing (`[:, None]`, `keepdims=True`), or a transpose?"
    )


def _clash(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int] | None:
    return next(((n, m) for m, n in zip(reversed(a), reversed(b), strict=False) if n != m and 1 not in (n, m)), None)


def wrong_argument(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Name the function of JAX and the argument that is not an array."""
    function, kind = match.groups()
    if kind == "NoneType":
        return f"{function} was given None: does the function that should have made the array end in `return`?"
    return f"{function} was given a {kind}, but takes arrays: put jnp.asarray(...) around it."


def foreign_call(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Suggest the op of minitorch for a function of JAX or NumPy."""
    start = "A Tensor, which minitorch records on a tape, was given to a function of JAX or NumPy"
    call = re.search(r"\b(?:jnp|np|numpy)\.(\w+)", location.code) if location else None
    if call and hasattr(ops, call[1]):
        return f"{start}: use `mt.ops.{call[1]}` instead of `{call[0]}`."
    return f"{start}: use the op of that name in mt.ops, or `mt.from_jax(f)` if there is none, or put jax.jit outside."


def not_python(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Name the line with the syntax error."""
    line = f", `{error.text.strip()}`" if error.text and error.text.strip() else ""
    return f"Python cannot read line {error.lineno}{line}: {error.msg}. Look for a bracket, quote or colon near it."


def unknown_name(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Suggest similar names that exist."""
    known = {**location.frame.f_globals, **location.frame.f_locals} if location else {}
    near = [n for n in difflib.get_close_matches(match[1], known, 2) if n != match[1]]
    hint = f" There is `{'` and `'.join(near)}`." if near else ""
    return f"The name `{match[1]}` is not defined here: is it misspelled, or was a cell above not run?{hint}"


def unknown_attribute(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Suggest similar attributes that exist."""
    owner = getattr(error, "obj", None)
    kind = type(owner).__name__
    if owner is None:
        return f"None has no `.{error.name}`: does the function that should have made the value end in `return`?"
    name = {"ArrayImpl": "An array", "module": f"The module {getattr(owner, '__name__', '')}"}.get(kind, f"A {kind}")
    near = difflib.get_close_matches(str(error.name), [n for n in dir(owner) if n[0] != "_"], 3)
    return f"{name} has no `{error.name}`." + (f" It has `{'`, `'.join(near)}`." if near else "")


def unknown_argument(match: re.Match[str], error: Any, location: Location | None) -> str:
    """Suggest NumPy's name for an argument of PyTorch or Keras."""
    function, name = match.groups()
    right = {"dim": "axis", "axes": "axis", "keepdim": "keepdims"}.get(name)
    return f"{function} has no argument called `{name}`" + (f": here it is `{right}`." if right else ".")
