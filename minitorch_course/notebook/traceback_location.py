"""Where in the student's code an error happened: the function, the line, and the variables on it."""

from __future__ import annotations

import ast
import linecache
import reprlib
import sysconfig
import traceback
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from minitorch.autodiff.tape import Tensor

from .._packages import PACKAGES

LIBRARIES = (*PACKAGES, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")))
INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Place:
    """A line of the student's code. `code` is the expression in it that failed, or all of it where that is unknown."""

    function: str
    line: int
    source: str
    code: str
    variables: dict[str, Any]
    frame: FrameType

    def __str__(self) -> str:
        inside = f" in `{self.function}`" if self.function.isidentifier() else ""
        code = f", at `{' '.join(self.code.split())}`" if self.code and not self.code.startswith("raise ") else ""
        described = [f"`{name}` is {text}" for name, v in self.variables.items() if (text := describe_variable(v))]
        last = " and ".join(filter(None, (", ".join(described[:-1]), *described[-1:])))
        return f"It happened{inside} on line {self.line}{code}" + (f", where {last}." if described else ".")


def is_library(filename: str) -> bool:
    """Is this a file of Python, of an installed package or of minitorch, and not the student's?"""
    if filename.startswith("<"):
        return filename.startswith(("<frozen", "<__array_function__"))
    path = Path(filename)
    return not INSTALLED.isdisjoint(path.parts) or any(folder in path.parents for folder in LIBRARIES)


def raised_in_minitorch(error: BaseException) -> bool:
    steps = list(traceback.walk_tb(error.__traceback__))
    return bool(steps) and not set(PACKAGES).isdisjoint(Path(steps[-1][0].f_code.co_filename).parents)


def student_steps(error: BaseException) -> list[TracebackType]:
    """The steps of the traceback that are in the student's code, outermost first."""
    if error.__cause__ and (steps := student_steps(error.__cause__)):
        return steps  # minitorch says better what JAX said; JAX said it closer to the cause.
    steps, tb = [], error.__traceback__
    while tb is not None:
        if not is_library(tb.tb_frame.f_code.co_filename):
            steps.append(tb)
        tb = tb.tb_next
    return steps


def place_of(error: BaseException, student_names: Collection[str] = ()) -> Place | None:
    """The innermost line of the student's code, of the functions named `student_names` if there are any among them."""
    steps = student_steps(error)
    steps = [s for s in steps if s.tb_frame.f_code.co_name in student_names] or steps
    if not steps:
        return None
    frame, line = steps[-1].tb_frame, steps[-1].tb_lineno
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    code = _failing_code(steps[-1]) or source
    return Place(frame.f_code.co_name, line, source, code if len(code) < 200 else "", _variables(code, frame), frame)


def _failing_code(step: TracebackType) -> str:
    """The source of the expression that was being evaluated."""
    filename = step.tb_frame.f_code.co_filename
    first, last, start, end = _position(step.tb_frame.f_code, step.tb_lasti)
    if first is None or last is None or start is None or end is None:
        return ""
    lines = [linecache.getline(filename, n, step.tb_frame.f_globals).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]  # Positions count bytes.
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace").strip()


def _position(code: CodeType, instruction: int) -> tuple[int | None, ...]:
    return next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)


def _variables(code: str, frame: FrameType) -> dict[str, Any]:
    """The values of the names, and of names with attributes such as `layer.weight`, in a piece of code."""
    found: dict[str, Any] = {}
    known = {**frame.f_globals, **frame.f_locals}
    for name in dict.fromkeys(_names(code)):
        base, *attributes = name.split(".")
        try:
            value = known[base]
            for attribute in attributes:
                value = getattr(value, attribute)
        except Exception:  # Not defined here (the parameter of a lambda, say), or it has no such attribute.
            continue
        found[name] = value
    return found


def _names(code: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(f"({code})")))
    except SyntaxError:  # Not an expression, but a line.
        return
    # What a lambda or a comprehension calls its own is another thing here.
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            parts = ast.unparse(node).split(".")
            if parts[0] not in own and all(part.isidentifier() for part in parts):
                yield ".".join(parts)


def describe_variable(value: Any) -> str:
    """`float32 (3, 5)` of an array, the value of what is small, the type of all else; nothing of functions, modules."""
    if isinstance(value, Tensor):
        return f"a Tensor {value.dtype} {value.shape}"
    if isinstance(value, Tracer):
        return f"a traced {value.dtype} {value.shape}"
    if isinstance(value, jax.Array | np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple | dict) and not (isinstance(value, tuple) and all(type(n) is int for n in value)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, bool | int | float | complex | str | tuple) or value is None:
        return reprlib.repr(value)
    if callable(value) or isinstance(value, ModuleType):
        return ""
    return f"a {type(value).__name__}"
