"""The description of a pull request: the file `pull-requests/NUMBER.md`, written from the template."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from ..review import Comment
from ..text import count_words, read_text
from .upstream import CLONE, REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

SECTIONS = ("What changes for users", "How it is tested")
PLACEHOLDERS = ("REPLACE THIS", "NAME OF YOUR BRANCH", "NUMBER OF THE ISSUE", "TITLE: WHAT THIS CHANGES")
MIN_WORDS = 4
BRANCH = re.compile(r"^[ \t]*Branch[ \t]*:[ \t]*`?([^\s`]+)`?[ \t]*$", re.MULTILINE | re.IGNORECASE)
# GitHub's keywords: any case, an optional colon, and an issue as `#1`, `owner/repository#1` or an address.
CLOSES = re.compile(
    r"(?<![\w-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    rf"(?:(?:[\w-]+/{CLONE})?#|https://github\.com/[\w-]+/{CLONE}/issues/)(\d+)(?![\w-]|\.\d)",
    re.IGNORECASE,
)
HTML = re.compile(r"<!--.*?(?:-->|\Z)|<[^>]*>", re.DOTALL)


@dataclass(frozen=True)
class Description:
    """The description of a pull request; `branch` is empty if it does not name one, `problem` if it cannot be read."""

    number: int
    branch: str
    text: str
    problem: str = ""

    @property
    def where(self) -> str:
        return f"{REQUESTS}/{self.number}.md"


def read(folder: Path, number: int) -> Description | None:
    """Return the description for issue `number`, or None if no pull request has been opened."""
    path = folder / REQUESTS / f"{number}.md"
    if not path.is_file():
        return None
    try:
        text = read_text(path)
    except ValueError as error:
        return Description(number, "", "", str(error))
    branch = BRANCH.search(text)
    return Description(number, branch[1] if branch else "", text)


def review(described: Description) -> Iterator[Comment]:
    """Review a description."""
    if described.problem:
        yield Comment(described.where, described.problem)
        return
    for number, line in enumerate(described.text.split("\n"), 1):
        if any(words in line for words in PLACEHOLDERS):
            yield Comment(
                f"{described.where}:{number}", f"still says {line.strip()!r}: replace it with your own words."
            )
    if not described.branch:
        yield Comment(
            f"{described.where}:1", "does not name a branch: begin with the line `Branch: the-name-of-your-branch`."
        )
    tokens = MarkdownIt("commonmark").enable("table").parse(described.text)
    if str(described.number) not in CLOSES.findall(_prose(tokens)):
        yield Comment(
            f"{described.where}:2",
            f"does not say which issue it closes: write `Closes: #{described.number}`, so that the merge closes it.",
        )
    headings = _headings(tokens)
    titles = [heading.title for heading in headings if heading.level == 1]
    if not any(count_words(title) > 1 and not any(_same(title, section) for section in SECTIONS) for title in titles):
        yield Comment(described.where, "has no title: write `# ` and what the change does, in the imperative.")
    for section in SECTIONS:
        yield from _section(described, section, headings, tokens)


class Heading(NamedTuple):
    """A heading of a Markdown text: its level, its title, its line, and the number of the first token after it."""

    level: int
    title: str
    line: int
    end: int


def _headings(tokens: list[Token]) -> list[Heading]:
    """Return the headings of a Markdown text, without those in code, quotations and lists."""
    return [
        Heading(int(token.tag[1:]), _prose([tokens[i + 1]], code=True).strip(), token.map[0] + 1, i + 3)
        for i, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _prose(tokens: list[Token], code: bool = False) -> str:
    """Return the text that a reader sees, a paragraph per line. Without `code`, GitHub reads no keywords in it."""
    shown = ("text", "code_inline") if code else ("text",)
    lines = []
    for token in tokens:
        if token.type == "inline":
            parts = [child.content if child.type in shown else " " for child in token.children or []]
            lines.append("".join(parts))
        elif token.type == "html_block":
            lines.append(HTML.sub(" ", token.content))
        elif code and token.type in ("fence", "code_block"):
            lines.append(token.content)
    return "\n".join(lines)


def _section(described: Description, title: str, headings: list[Heading], tokens: list[Token]) -> Iterator[Comment]:
    """Review one section, which reaches up to the next heading of its level or above."""
    found = [i for i, heading in enumerate(headings) if _same(heading.title, title)]
    if not found:
        yield Comment(described.where, f"has no section `## {title}`: keep the sections of the template.")
        return
    heading = headings[found[0]]
    later = [other.end - 3 for other in headings[found[0] + 1 :] if other.level <= heading.level]
    body = tokens[heading.end : later[0] if later else None]
    if count_words(_prose([token for i, token in enumerate(body) if not _is_title(body, i)], code=True)) < MIN_WORDS:
        yield Comment(
            f"{described.where}:{heading.line}",
            f"leaves `{title}` empty: one sentence saves the reviewer a search.",
        )


def _same(given: str, title: str) -> bool:
    return " ".join(given.split()).rstrip(" :").casefold() == title.casefold()


def _is_title(tokens: list[Token], i: int) -> bool:
    """Return whether a token is the text of a heading, which says nothing by itself."""
    return i > 0 and tokens[i - 1].type == "heading_open"
