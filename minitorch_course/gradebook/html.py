"""Pieces that the pages about grades have in common."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

OVERVIEW, FEEDBACK = "overview.html", "feedback"  # a file, and the folder beside it
NAME, LINE, PARAGRAPH, CODE = 80, 300, 2_000, 20_000  # characters that are shown of a text

MARKS = {  # status: sign and word
    "passed": ("●", "passed"),
    "wrong": ("○", "not right yet"),
    "error": ("×", "stopped with an error"),
    "timeout": ("◔", "took too long"),
    "not run": ("–", "not run"),
}


def fill(page: str, **parts: str) -> str:
    """The template `page` of this package with head and style, common to all, and `parts`, HTML, in their places."""
    head = _resource("head.html").rstrip("\n")
    return Template(_resource(page)).substitute(parts, head=head, style=_resource("style.css"))


@cache
def _resource(name: str) -> str:
    return (files(__name__.rpartition(".")[0]) / "pages" / name).read_text(encoding="utf-8")


def bar(part: float, whole: float) -> str:
    """A bar that is filled to `part` of `whole`."""
    share = min(max(part / whole, 0), 1) if whole else 0
    return f'<span class="bar" aria-hidden="true"><span style="width:{100 * share:.3g}%"></span></span>'
