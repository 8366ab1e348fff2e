"""`check`: one visible case of an exercise, which explains a wrong answer and never raises."""

from __future__ import annotations

import contextlib
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from ..answers.comparison import Tolerance, same
from ..answers.diagnose import diagnose
from ..answers.serialize import to_plain
from .display import publish
from .errors import collapsed_html, explain, message_html
from .traceback_location import student_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHECKED = "application/vnd.minitorch.check+json"


class CaseResult(NamedTuple):
    """The result of a case: `message` is empty if it passed; `original` is the error that was raised, if any."""

    case: str
    message: str = ""
    original: str = ""


def check(
    case: str,
    given: Callable[[], Any],
    expected: Any,
    mistakes: Mapping[str, Any] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    dtype: bool = False,
) -> None:
    """Display `ok` for a case, or what is probably wrong.

    Args:
      case: a name of the case.
      given: a function that calls the student's function.
      expected: the right value, or a function that returns it.
      mistakes: from the message for a typical wrong answer to its value, or to a function that returns it.
      rtol: see `Tolerance`.
      atol: see `Tolerance`.
      dtype: see `Tolerance`.
    """
    result = _judge(case, given, expected, mistakes or {}, Tolerance(rtol, atol, dtype))
    content = {"exercise": None, "case": case, "passed": not result.message, "message": result.message}
    publish({"text/plain": as_text(result), "text/html": as_html(result), CHECKED: content})


def _judge(
    case: str, given: Callable[[], Any], expected: Any, mistakes: Mapping[str, Any], tolerance: Tolerance
) -> CaseResult:
    names = _names(given)
    try:
        value = to_plain(given())
    except (Exception, SystemExit) as error:
        return CaseResult(case, *explain(error, _student_names(names, error)))
    try:
        right = to_plain(expected() if callable(expected) else expected)
        if same(value, right, tolerance):
            return CaseResult(case)
        foreseen = {message: to_plain(wrong() if callable(wrong) else wrong) for message, wrong in mistakes.items()}
    except Exception as error:
        explanation = explain(error)
        message = f"The check itself failed, not your code. {explanation.paragraph}"
        return CaseResult(case, message, explanation.original)
    return CaseResult(case, diagnose(value, right, foreseen, tolerance, inputs=_arrays(names)) or "")


def _names(given: Callable[[], Any]) -> dict[str, Any]:
    """Return the values of the names in `lambda: softmax(x)`: the function `softmax` and the array `x`."""
    code = getattr(given, "__code__", None)
    if code is None:
        return {}
    names = {name: given.__globals__[name] for name in code.co_names if name in given.__globals__}
    for name, cell in zip(code.co_freevars, given.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # It has no value yet.
            names[name] = cell.cell_contents
    return names


def _arrays(names: Mapping[str, Any]) -> dict[str, np.ndarray]:
    arrays = {f"`{name}`": to_plain(x) for name, x in names.items() if isinstance(x, np.ndarray | jax.Array)}
    return {name: x for name, x in arrays.items() if isinstance(x, np.ndarray)}  # A random key is not one.


def _student_names(names: Mapping[str, Any], error: BaseException) -> set[str]:
    """Return the functions in the traceback that were defined in the same cell as a function in `names`.

    They are the student's own. Functions from other cells were given by the notebook.
    """
    named = [m for x in names.values() for m in (x, *(vars(x).values() if isinstance(x, type) else ()))]
    cells = {f.__code__.co_filename for f in named if isinstance(f, FunctionType)}
    codes = (frame.tb_frame.f_code for frame in student_frames(error))
    return {code.co_name for code in codes if code.co_filename in cells}


def as_text(result: CaseResult) -> str:
    """Return `ok: case`, or `not yet: case` followed by the message and the original error, each indented."""
    if not result.message:
        return f"ok: {result.case}"
    original = "".join(f"\n      {line}" for line in result.original.splitlines())
    return f"not yet: {result.case}\n  {result.message}" + (f"\n    The original error:{original}" if original else "")


def as_html(result: CaseResult) -> str:
    """Return HTML of a result: a coloured edge, and the text in the notebook's own colour, light or dark."""
    colour, word = ("#D55E00", "not yet") if result.message else ("#0072B2", "ok")
    message = f'<div style="margin-top:.3em">{message_html(result.message)}</div>' if result.message else ""
    return (
        f'<div style="border-left:5px solid {colour};padding:.35em .8em;margin:.2em 0;max-width:60em">'
        f"<strong>{word}</strong>: {message_html(result.case)}{message}{collapsed_html(result.original)}</div>"
    )
