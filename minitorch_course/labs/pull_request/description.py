"""A pull request's description: the file `pull-requests/NUMBER.md`, made from the template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..review import Comment
from .upstream import REQUESTS

SECTIONS = ("What a user sees that was not so before", "How it is tested")
PLACEHOLDERS = ("REPLACE THIS", "NAME OF YOUR BRANCH", "NUMBER OF THE ISSUE", "TITLE: WHAT THIS CHANGES")
FEWEST_WORDS = 4


@dataclass(frozen=True)
class Description:
    """What a pull request says of itself; `branch` is empty if it does not name one."""

    number: int
    branch: str
    text: str

    @property
    def where(self) -> str:
        return f"{REQUESTS}/{self.number}.md"


def read(folder: Path, number: int) -> Description | None:
    """The description for issue `number`, or None if no pull request has been opened."""
    path = folder / REQUESTS / f"{number}.md"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    branch = re.search(r"^Branch:[ \t]*(\S+)[ \t]*$", text, re.MULTILINE)
    return Description(number, branch[1] if branch else "", text)


def judge(described: Description) -> Iterator[Comment]:
    """What is missing in a description."""
    lines = described.text.splitlines()
    for number, line in enumerate(lines, 1):
        if any(words in line for words in PLACEHOLDERS):
            yield Comment(f"{described.where}:{number}", f"still says {line.strip()!r}: put your own words there.")
    if not described.branch:
        yield Comment(f"{described.where}:1", "names no branch: begin with the line `Branch: the-name-of-your-branch`.")
    if not re.search(rf"^Closes:? #{described.number}\s*$", described.text, re.MULTILINE):
        yield Comment(
            f"{described.where}:2",
            f"does not say which issue it settles: write `Closes: #{described.number}`, so that merging closes it.",
        )
    if not re.search(r"^# \S+ \S+", described.text, re.MULTILINE):
        yield Comment(described.where, "has no title: write `# ` and what the change does, as a command.")
    for section in SECTIONS:
        yield from _section(described, section, lines)


def _section(described: Description, title: str, lines: list[str]) -> Iterator[Comment]:
    heading = f"## {title}"
    if heading not in lines:
        yield Comment(described.where, f"has no part `{heading}`: keep the parts of the template.")
        return
    start = lines.index(heading)
    body = " ".join(lines[start + 1 :]).split("## ")[0]
    if len(body.split()) < FEWEST_WORDS:
        yield Comment(
            f"{described.where}:{start + 1}", f"leaves `{title}` empty: a sentence saves the reviewer a search."
        )
