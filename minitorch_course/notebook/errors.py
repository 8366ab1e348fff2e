"""Explanations of errors in the student's terms, followed by the original error.

A traceback of JAX is long and ends far from the line that caused it. `explain` names the likely mistake
(`error_table`) and the line of the student's code, with the shapes of the variables on it (`traceback_location`).
"""

from __future__ import annotations

import html
import linecache
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from markdown_it import MarkdownIt

from .display import publish, shell
from .error_table import find_cause
from .traceback_location import called_by_test, location_of, raised_in_library, student_frames

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_FRAMES = 5  # of the first and of the last frames that are shown
IN_TEST = (
    "It happened on a line of the hidden test that uses your code: compare the names, the arguments and the results of"
    " your functions with the task."
)
EXPLAINED = "application/vnd.minitorch.error+json"
MARKDOWN = MarkdownIt("zero").enable("backticks")


class Explanation(NamedTuple):
    """What an error means.

    `paragraph` is in the student's terms. `original` is the error as Python shows it, reduced to frames of the
    student's code; it is empty if it adds nothing.
    """

    paragraph: str
    original: str


def explain(error: BaseException, student_names: Collection[str] = ()) -> Explanation:
    """Explain an exception raised by the student's code.

    The explanation names the innermost line outside of Python and of installed packages. If the traceback goes through
    functions called `student_names`, it names the innermost line in those. Lines of hidden tests are not shown.
    """
    if is_stub(error):
        return Explanation(f"Not written yet: {error}" if str(error) else "Not written yet.", "")
    location = location_of(error, student_names)
    cause = find_cause(error, location)
    if location is None and called_by_test(error):
        return Explanation(f"{_without_values(error, cause)} {IN_TEST}", "")
    return Explanation(f"{cause} {location}" if location else cause, _original(error))


def _without_values(error: BaseException, cause: str) -> str:
    """Return the cause of an error on a hidden test's own line without what may be its inputs."""
    return "A dict has no such key." if isinstance(error, KeyError) else re.sub(r"-?\d+\.\d+(e[-+]?\d+)?", "...", cause)


def is_stub(error: BaseException) -> bool:
    """Return whether the error is the `raise NotImplementedError` of an exercise, and not one of a library's."""
    return type(error) is NotImplementedError and not raised_in_library(error)


def _original(error: BaseException) -> str:
    frames = [
        f"{frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}: {text}"
        for frame in student_frames(error)
        if (
            text := linecache.getline(
                frame.tb_frame.f_code.co_filename, frame.tb_lineno, frame.tb_frame.f_globals
            ).strip()
        )
    ]
    if len(frames) > 2 * MAX_FRAMES:
        frames[MAX_FRAMES:-MAX_FRAMES] = [f"... {len(frames) - 2 * MAX_FRAMES} more ..."]
    return "\n".join([*frames, f"{type(error).__name__}: {error}"])


def setup() -> None:
    """Explain errors of this notebook's cells: a paragraph first, then the original error, collapsed.

    Call it once, in the first cell. Outside of a notebook it does nothing.
    """
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
    """Return HTML of a paragraph with a coloured edge, and of the collapsed original, for light and dark themes."""
    return (
        '<div style="border-left:5px solid #D55E00;padding:.35em .8em;margin:.2em 0;max-width:60em">'
        f"{message_html(paragraph)}{collapsed_html(original)}</div>"
    )


def collapsed_html(original: str) -> str:
    """Return HTML of an original error that shows one line until it is opened."""
    if not original:
        return ""
    text = f'<summary>The original error</summary><pre style="overflow-x:auto">{html.escape(original)}</pre>'
    return f'<details style="margin-top:.3em">{text}</details>'


def message_html(text: str) -> str:
    """Return HTML of a message, in which `code` is the only Markdown."""
    return MARKDOWN.renderInline(text)
