"""The description of a pull request: the file `pull-requests/NUMBER.md`, written from the template."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from ..review import Comment
from .upstream import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECTIONS = ("What changes for users", "How it is tested")
PLACEHOLDERS = ("REPLACE THIS", "NAME OF YOUR BRANCH", "NUMBER OF THE ISSUE", "TITLE: WHAT THIS CHANGES")
MIN_WORDS = 4


@dataclass(frozen=True)
class Description:
    """The description of a pull request; `branch` is empty if it does not name one."""

    number: int
    branch: str
    text: str

    @property
    def where(self) -> str:
        return f"{REQUESTS}/{self.number}.md"


def read(folder: Path, number: int) -> Description | None:
    """Return the description for issue `number`, or None if no pull request has been opened."""
    path = folder / REQUESTS / f"{number}.md"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    branch = re.search(r"^Branch:[ \t]*(\S+)[ \t]*$", text, re.MULTILINE)
    return Description(number, branch[1] if branch else "", text)


def review(described: Description) -> Iterator[Comment]:
    """Review a description."""
    for number, line in enumerate(described.text.splitlines(), 1):
        if any(words in line for words in PLACEHOLDERS):
            yield Comment(
                f"{described.where}:{number}", f"still says {line.strip()!r}: replace it with your own words."
            )
    if not described.branch:
        yield Comment(
            f"{described.where}:1", "does not name a branch: begin with the line `Branch: the-name-of-your-branch`."
        )
    if not re.search(rf"^Closes:? #{described.number}\s*$", described.text, re.MULTILINE):
        yield Comment(
            f"{described.where}:2",
            f"does not say which issue it closes: write `Closes: #{described.number}`, so that the merge closes it.",
        )
    headings = _headings(described.text)
    if not any(heading.level == 1 and len(heading.title.split()) > 1 for heading in headings):
        yield Comment(described.where, "has no title: write `# ` and what the change does, in the imperative.")
    for section in SECTIONS:
        yield from _section(described, section, headings)


class Heading(NamedTuple):
    """A heading of a Markdown text: its level, its title, and the lines of the text before which it begins and ends."""

    level: int
    title: str
    begin: int
    end: int


def _headings(text: str) -> list[Heading]:
    """Return the headings of a Markdown text, without those in code."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        Heading(int(token.tag[1:]), inline.content.strip(), *token.map)
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.map
    ]


def _section(described: Description, title: str, headings: list[Heading]) -> Iterator[Comment]:
    """Review one section, which reaches up to the next heading of its level or above."""
    sections = [heading for heading in headings if heading.level <= 2]
    found = [i for i, heading in enumerate(sections) if heading.level == 2 and heading.title == title]
    if not found:
        yield Comment(described.where, f"has no section `## {title}`: keep the sections of the template.")
        return
    heading, *later = sections[found[0] :]
    body = described.text.splitlines()[heading.end : later[0].begin if later else None]
    if len(" ".join(body).split()) < MIN_WORDS:
        yield Comment(
            f"{described.where}:{heading.begin + 1}",
            f"leaves `{title}` empty: one sentence saves the reviewer a search.",
        )
