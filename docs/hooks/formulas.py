"""Convert formulas between dollars to MathML with pandoc, as in the slides: no script, and screen readers read it."""

from __future__ import annotations

import html
import re
from typing import Any

import pypandoc
from mkdocs.exceptions import PluginError

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
MATH = re.compile(r"<math.*?</math>", re.DOTALL)
SOURCE = re.compile(
    r"<annotation.*?</annotation>", re.DOTALL
)  # The search would find the TeX source next to the MathML.


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Replace every formula on a page, with one call of pandoc."""
    found = list(FORMULA.finditer(content))
    if not found:
        return content
    made = iter(_mathml([(match[1] == "div", html.unescape(match[2]).strip()) for match in found], page))
    return FORMULA.sub(lambda _: next(made), content)


def _mathml(formulas: list[tuple[bool, str]], page: Any) -> list[str]:
    lines = [f"$${tex}$$" if display else f"${tex}$" for display, tex in formulas]
    written = pypandoc.convert_text("\n\n".join(lines), "html", "markdown-smart", ["--mathml", "--wrap=none"])
    made = [SOURCE.sub("", math) for math in MATH.findall(written)]
    if len(made) != len(formulas):
        raise PluginError(f"{page.file.src_uri}: {len(formulas)} formulas, of which pandoc reads {len(made)}.")
    return made
