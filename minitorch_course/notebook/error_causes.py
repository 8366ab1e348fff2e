"""Causes of errors that take more than a sentence with gaps: functions of the match, the error and the place."""

from __future__ import annotations

import ast
import difflib
import re
from typing import Any

from minitorch import ops

from .traceback_location import Place


def in_place_update(match: re.Match[str], error: Any, place: Place | None) -> str:
    """With the line that would work, if the line was `x[i] = y` or `x[i] += y`."""
    example = "x = x.at[i].set(y)"
    if place and (statement := _statement(place)) is not None:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        operation = "set" if isinstance(statement, ast.Assign) else UPDATES.get(type(statement.op), "set")
        if isinstance(target, ast.Subscript):
            array, value = ast.unparse(target.value), ast.unparse(statement.value)
            index = ast.unparse(target)[len(array) + 1 : -1]
            example = f"{array} = {array}.at[{index}].{operation}({value})"
    return f"Arrays of JAX cannot be changed in place; make a new one: `{example}`."


UPDATES: dict[type[ast.operator], str] = {ast.Add: "add", ast.Mult: "multiply", ast.Div: "divide"}


def _statement(place: Place) -> ast.Assign | ast.AugAssign | None:
    try:
        statement = ast.parse(place.source).body[0]
    except (SyntaxError, IndexError):
        return None
    return statement if isinstance(statement, ast.Assign | ast.AugAssign) else None


def broadcast(match: re.Match[str], error: Any, place: Place | None) -> str:
    """Which axes clash."""
    shapes = [tuple(map(int, re.findall(r"\d+", text))) for text in re.findall(r"\(([\d, ]*)\)", match[1])]
    clash = next(filter(None, (_clash(a, b) for i, a in enumerate(shapes) for b in shapes[:i])), None)
    text = " and ".join(map(str, dict.fromkeys(shapes)))
    start = f"The shapes {text} do not broadcast"
    if clash is None:
        return f"{start}."
    return (
        f"{start}: shapes are laid over each other from their last axes on, and there {clash[0]} meets {clash[1]}. Is"
        " an axis of size 1 missing (`[:, None]`, `keepdims=True`), or a transpose?"
    )


def _clash(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int] | None:
    return next(((n, m) for m, n in zip(reversed(a), reversed(b), strict=False) if n != m and 1 not in (n, m)), None)


def wrong_argument(match: re.Match[str], error: Any, place: Place | None) -> str:
    function, kind = match.groups()
    if kind == "NoneType":
        return f"{function} was given None: does the function that should have made the array end in `return`?"
    return f"{function} was given a {kind}, and takes arrays: put jnp.asarray(...) around it."


def foreign_call(match: re.Match[str], error: Any, place: Place | None) -> str:
    start = "A Tensor, which a tape of minitorch is recording, was given to a function of JAX or NumPy"
    call = re.search(r"\b(?:jnp|np|numpy)\.(\w+)", place.code) if place else None
    if call and hasattr(ops, call[1]):
        return f"{start}: use `mt.ops.{call[1]}` in place of `{call[0]}`."
    return (
        f"{start}: use the op of that name in mt.ops, or `mt.from_jax(f)` where there is none, or put jax.jit outside."
    )


def not_python(match: re.Match[str], error: Any, place: Place | None) -> str:
    line = f", `{error.text.strip()}`" if error.text and error.text.strip() else ""
    return f"Python cannot read line {error.lineno}{line}: {error.msg}. Look for a bracket, quote or colon near it."


def unknown_name(match: re.Match[str], error: Any, place: Place | None) -> str:
    known = {**place.frame.f_globals, **place.frame.f_locals} if place else {}
    near = [n for n in difflib.get_close_matches(match[1], known, 2) if n != match[1]]
    hint = f" There is `{'` and `'.join(near)}`." if near else ""
    return f"Nothing is called `{match[1]}` here: is it a typing mistake, or was a cell above not run?{hint}"


def unknown_attribute(match: re.Match[str], error: Any, place: Place | None) -> str:
    owner = getattr(error, "obj", None)
    kind = type(owner).__name__
    if owner is None:
        return f"`.{error.name}` was asked of None: does the function that should have made the value end in `return`?"
    name = {"ArrayImpl": "An array", "module": f"The module {getattr(owner, '__name__', '')}"}.get(kind, f"A {kind}")
    near = difflib.get_close_matches(str(error.name), [n for n in dir(owner) if n[0] != "_"], 3)
    return f"{name} has no `{error.name}`." + (f" It has `{'`, `'.join(near)}`." if near else "")


def unknown_argument(match: re.Match[str], error: Any, place: Place | None) -> str:
    function, name = match.groups()
    right = {"dim": "axis", "axes": "axis", "keepdim": "keepdims"}.get(name)
    return f"{function} has no argument called `{name}`" + (f": here it is `{right}`." if right else ".")
