"""Errors in the student's terms: one paragraph first, the original below.

A traceback of JAX is long and ends far from the line that caused it. `explain` says what kind of mistake leads to such
an error (`translations`), and where in the student's code it happened, with the shapes of the variables there
(`frames`).
"""

from __future__ import annotations

import html
import linecache
import re
import sys
from collections.abc import Collection
from typing import Any, NamedTuple

from .display import publish, shell
from .error_table import translate
from .traceback_location import place_of, student_steps

STEPS = 5  # So many of the first and of the last are shown.
EXPLAINED = "application/vnd.minitorch.error+json"


class Explanation(NamedTuple):
    """`paragraph` says what happened in the student's terms; `original` is the error as Python shows it, reduced to the
    student's own lines. It is empty where there is nothing to add."""

    paragraph: str
    original: str


def explain(error: BaseException, student_names: Collection[str] = ()) -> Explanation:
    """What an exception out of the student's code means.

    The place named is the innermost line outside of Python's and installed packages, among the functions called
    `student_names` if it is in any of them.
    """
    if isinstance(error, NotImplementedError):
        return Explanation(f"Not written yet: {error}" if str(error) else "Not written yet.", "")
    place = place_of(error, student_names)
    cause = translate(error, place)
    return Explanation(f"{cause} {place}" if place else cause, _original(error))


def _original(error: BaseException) -> str:
    steps = [
        f"{step.tb_frame.f_code.co_name}, line {step.tb_lineno}: {text}"
        for step in student_steps(error)
        if (
            text := linecache.getline(step.tb_frame.f_code.co_filename, step.tb_lineno, step.tb_frame.f_globals).strip()
        )
    ]
    if len(steps) > 2 * STEPS:
        steps[STEPS:-STEPS] = [f"... {len(steps) - 2 * STEPS} more ..."]
    return "\n".join([*steps, f"{type(error).__name__}: {error}"])


def install() -> None:
    """In a notebook, explain the error of any cell before the original, which is folded. Elsewhere, do nothing."""
    ipython = shell()
    if ipython is not None:
        ipython.set_custom_exc((Exception,), _show)


def _show(
    ipython: Any, kind: type[BaseException], error: BaseException, tb: Any, tb_offset: int | None = None
) -> list[str]:
    paragraph, original = explain(error)
    if original:
        lines = ipython.InteractiveTB.structured_traceback(kind, error, tb, tb_offset=tb_offset)
        original = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))
    publish({"text/plain": paragraph, "text/html": as_html(paragraph, original), EXPLAINED: {"paragraph": paragraph}})
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, tb  # For %debug.
    ended = [f"{kind.__name__}: this cell has stopped; the paragraph above says why."]
    ipython._showtraceback(kind, error, ended)
    return ended


def as_html(paragraph: str, original: str) -> str:
    """The paragraph with a coloured edge, and the original folded below it; readable on light and dark."""
    return (
        '<div style="border-left:5px solid #D55E00;padding:.35em .8em;margin:.2em 0;max-width:60em">'
        f"{marked(paragraph)}{folded(original)}</div>"
    )


def folded(original: str) -> str:
    """HTML of an original error, one line until it is clicked on."""
    if not original:
        return ""
    text = f'<summary>The original error</summary><pre style="overflow-x:auto">{html.escape(original)}</pre>'
    return f'<details style="margin-top:.3em">{text}</details>'


def marked(text: str) -> str:
    """HTML of a message, its `code` in a code font."""
    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:
        return html.escape(text)
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
