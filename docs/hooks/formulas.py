"""Convert formulas between dollars to MathML with pandoc, as in the slides: no script, and screen readers read it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pypandoc
from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
IN_TITLE = re.compile(r"\\\((.*?)\\\)", re.DOTALL)  # what is left of a formula in an entry of the table of contents
MATH = re.compile(r"<math.*?</math>", re.DOTALL)
SOURCE = re.compile(
    r"<annotation.*?</annotation>", re.DOTALL
)  # The search would find the TeX source next to the MathML.


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Replace every formula on a page and in its table of contents, with one call of pandoc."""
    entries = [entry for entry in _entries(page.toc) if IN_TITLE.search(entry.title)]
    in_content = [(match[1] == "div", match[2]) for match in FORMULA.finditer(content)]
    in_titles = [(False, tex) for entry in entries for tex in IN_TITLE.findall(entry.title)]
    formulas = [(display, html.unescape(tex).strip()) for display, tex in in_content + in_titles]
    made = iter(_mathml(formulas, page) if formulas else ())
    content = FORMULA.sub(lambda _: next(made), content)
    for entry in entries:
        entry.title = IN_TITLE.sub(lambda _: next(made), entry.title)
    return content


def _entries(toc: Any) -> Iterator[Any]:
    for entry in toc:
        yield entry
        yield from _entries(entry.children)


def _mathml(formulas: list[tuple[bool, str]], page: Any) -> list[str]:
    lines = [f"$${tex}$$" if display else f"${tex}$" for display, tex in formulas]
    written = pypandoc.convert_text("\n\n".join(lines), "html", "markdown-smart", ["--mathml", "--wrap=none"])
    made = [SOURCE.sub("", math) for math in MATH.findall(written)]
    if len(made) != len(formulas):
        raise PluginError(f"{page.file.src_uri}: {len(formulas)} formulas, of which pandoc reads {len(made)}.")
    return made
