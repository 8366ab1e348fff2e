"""Rendering of the pages about grades and progress: Jinja2 templates with autoescape.

Every value that a template shows is escaped, made visible and bounded, whether or not the template names a filter.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .sanitize import file_name, visible_text

OVERVIEW, FEEDBACK = "overview.html", "feedback"  # a file, and a folder in the same place
NAME, LINE, PARAGRAPH, CODE = 80, 300, 2_000, 20_000  # characters of a text that are shown

STATUS_SIGNS = {  # status: sign and words
    "passed": ("●", "passed"),
    "wrong": ("○", "not right yet"),
    "error": ("×", "stopped with an error"),
    "timeout": ("◔", "took too long"),
    "not run": ("–", "not run"),
}


def render(template: str, **values: Any) -> str:
    """Return the page of a template in the folder `templates`."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=_bounded,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": partial(visible_text, limit=NAME),
        "line": partial(visible_text, limit=LINE),
        "paragraph": partial(visible_text, limit=PARAGRAPH),
        "points": "{:g}".format,
        "status_sign": lambda status: STATUS_SIGNS.get(status, ("–", ""))[0],
        "status_words": lambda status: STATUS_SIGNS.get(status, ("", status))[1],
        "highlight": _highlight,
        "page": lambda student: f"{FEEDBACK}/{file_name(student)}.html",
    }
    return environment


def _bounded(value: Any) -> Any:
    return value if isinstance(value, Markup) else visible_text(value, PARAGRAPH)


def _highlight(code: str, number: int) -> Markup:
    """Return the HTML of a student's code with colours and line numbers. Pygments escapes the code."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    formatter = HtmlFormatter(cssclass="code", linespans=f"code-{number}")
    return Markup(highlight(visible_text(code, CODE), PythonLexer(stripnl=False), formatter))
