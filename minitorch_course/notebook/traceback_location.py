"""The location of an error in the student's code: the function, the line, and the variables on it."""

from __future__ import annotations

import ast
import linecache
import reprlib
import sysconfig
import traceback
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

from minitorch.autodiff.tape import Tensor

from .._packages import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import CodeType, FrameType, TracebackType

LIBRARIES = (*PACKAGES, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")))
INSTALLED = {"site-packages", "dist-packages"}
TEST_BEGINS = "from minitorch_course import inputs, report; inputs.begin("  # the first line of a hidden test's cell


@dataclass(frozen=True)
class Location:
    """A line of the student's code.

    `code` is the expression that failed, or the whole line if it is unknown. If a hidden test called the code, numbers
    and texts are not shown: they may be its inputs.
    """

    function: str
    line: int
    source: str
    code: str
    variables: dict[str, Any]
    frame: FrameType
    called_by_test: bool = False

    def __str__(self) -> str:
        inside = f" in `{self.function}`" if self.function.isidentifier() else ""
        code = f", at `{' '.join(self.code.split())}`" if self.code and not self.code.startswith("raise ") else ""
        described = [
            f"`{name}` is {text}"
            for name, v in self.variables.items()
            if (text := describe_variable(v, not self.called_by_test))
        ]
        last = " and ".join(filter(None, (", ".join(described[:-1]), *described[-1:])))
        return f"It happened{inside} on line {self.line}{code}" + (f", where {last}." if described else ".")


def is_library(filename: str) -> bool:
    """Return whether a file belongs to Python, an installed package or minitorch, and not to the student."""
    if filename.startswith("<"):
        return filename.startswith(("<frozen", "<__array_function__"))
    path = Path(filename)
    return not INSTALLED.isdisjoint(path.parts) or any(folder in path.parents for folder in LIBRARIES)


def is_hidden_test(frame: FrameType) -> bool:
    """Return whether a frame runs the code of a hidden test, which students do not see."""
    return linecache.getline(frame.f_code.co_filename, 1, frame.f_globals).startswith(TEST_BEGINS)


def called_by_test(error: BaseException) -> bool:
    """Return whether the traceback goes through a hidden test."""
    return any(is_hidden_test(frame) for frame, _ in traceback.walk_tb(error.__traceback__))


def raised_in_minitorch(error: BaseException) -> bool:
    """Return whether the innermost frame of the traceback is in one of our packages."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and not set(PACKAGES).isdisjoint(Path(frames[-1][0].f_code.co_filename).parents)


def raised_in_library(error: BaseException) -> bool:
    """Return whether the innermost frame of the traceback is not in the student's code."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and is_library(frames[-1][0].f_code.co_filename)


def student_frames(error: BaseException) -> list[TracebackType]:
    """Return the frames of the traceback that are in the student's code, outermost first."""
    if error.__cause__ and (frames := student_frames(error.__cause__)):
        return frames  # minitorch has the better message, but JAX raised it closer to the cause.
    frames, tb = [], error.__traceback__
    while tb is not None:
        if not is_library(tb.tb_frame.f_code.co_filename) and not is_hidden_test(tb.tb_frame):
            frames.append(tb)
        tb = tb.tb_next
    return frames


def location_of(error: BaseException, student_names: Collection[str] = ()) -> Location | None:
    """Return the innermost line of the student's code, in the functions `student_names` if the error is in any."""
    frames = student_frames(error)
    frames = [f for f in frames if f.tb_frame.f_code.co_name in student_names] or frames
    if not frames:
        return None
    frame, line = frames[-1].tb_frame, frames[-1].tb_lineno
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()
    code = _failing_code(frames[-1]) or source
    name, short = frame.f_code.co_name, code if len(code) < 200 else ""
    return Location(name, line, source, short, _variables(code, frame), frame, called_by_test(error))


def _failing_code(frame: TracebackType) -> str:
    """Return the source of the expression that was being evaluated."""
    filename = frame.tb_frame.f_code.co_filename
    first, last, start, end = _position(frame.tb_frame.f_code, frame.tb_lasti)
    if first is None or last is None or start is None or end is None:
        return ""
    lines = [linecache.getline(filename, n, frame.tb_frame.f_globals).encode() for n in range(first, last + 1)]
    lines[-1] = lines[-1][:end]  # Positions count bytes.
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace").strip()


def _position(code: CodeType, instruction: int) -> tuple[int | None, ...]:
    return next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)


def _variables(code: str, frame: FrameType) -> dict[str, Any]:
    """Return the values of the names in a piece of code, and of names with attributes such as `layer.weight`."""
    found: dict[str, Any] = {}
    known = {**frame.f_globals, **frame.f_locals}
    for name in dict.fromkeys(_names(code)):
        base, *attributes = name.split(".")
        try:
            value = known[base]
            for attribute in attributes:
                value = getattr(value, attribute)
        except Exception:  # Not defined here (such as the parameter of a lambda), or without that attribute.
            continue
        found[name] = value
    return found


def _names(code: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(f"({code})")))
    except SyntaxError:  # It is a statement.
        return
    # The own variables of a lambda or a comprehension have other values here.
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            parts = ast.unparse(node).split(".")
            if parts[0] not in own and all(part.isidentifier() for part in parts):
                yield ".".join(parts)


def describe_variable(value: Any, values: bool = True) -> str:
    """Describe a variable: dtype and shape of an array, a small value itself if `values`, otherwise the type.

    Functions and modules have no description.
    """
    if isinstance(value, Tensor):
        return f"a Tensor {value.dtype} {value.shape}"
    if isinstance(value, Tracer):
        return f"a traced {value.dtype} {value.shape}"
    if isinstance(value, jax.Array | np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, list | tuple | dict) and not (isinstance(value, tuple) and all(type(n) is int for n in value)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, bool | int | float | complex | str | tuple) or value is None:
        return reprlib.repr(value) if values or value is None else f"a {type(value).__name__}"
    if callable(value) or isinstance(value, ModuleType):
        return ""
    return f"a {type(value).__name__}"
