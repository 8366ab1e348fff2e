"""Review the commits of a branch, as a maintainer would."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..git import Git
from ..review import Comment
from ..text import count_words
from .mood import is_not_imperative

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBJECT, BODY = 60, 72  # longest lines of a message
FIELDS = "%H%x00%P%x00%an <%ae>%x00%B"
SAYS_NOTHING = re.compile(r"(?i)^((wip|temp|tmp|stuff|misc)\b|(fixup|squash|amend)!|update[sd]?$)")
FULL_STOPS = (".", "。", "．", "।")
SIGN_OFF = "signed-off-by"
PERSON = re.compile(r"\s*(.*?)\s*<\s*([^<>]*?)\s*>\s*")


@dataclass(frozen=True)
class Commit:
    """One commit of a branch."""

    hash: str
    parents: tuple[str, ...]
    author: str
    message: str
    files: tuple[str, ...]

    @property
    def subject(self) -> str:
        return self.message.removeprefix("\ufeff").split("\n", 1)[0].strip()

    @property
    def where(self) -> str:
        return f"commit {self.hash[:7]}"


def commits(git: Git, base: str, tip: str) -> list[Commit]:
    """Return the commits of `tip` that are not in `base`, oldest first."""
    return [_read(git, name) for name in git.lines("rev-list", "--reverse", "--topo-order", tip, f"^{base}")]


def _read(git: Git, name: str) -> Commit:
    hash, parents, author, message = git("show", "-s", f"--format={FIELDS}", name).split("\0", 3)
    files = git("diff-tree", "-r", "-z", "--no-commit-id", "--name-only", "--no-renames", name).split("\0")
    return Commit(hash, tuple(parents.split()), author, message.strip("\n"), tuple(filter(None, files)))


def review(history: list[Commit]) -> Iterator[Comment]:
    """Review messages, sign-offs and the shape of a history."""
    for commit in history:
        if len(commit.parents) > 1:
            yield Comment(
                commit.where,
                "is a merge. The branch should be a line of commits that can be read one by one: rebase it on"
                " upstream/main instead of merging main into it (git rebase upstream/main).",
            )
        else:
            for text in (*_about_subject(commit.subject), *_about_body(commit)):
                yield Comment(commit.where, text)
    yield from _repeated(history)


def _about_subject(subject: str) -> Iterator[str]:
    quoted = f"the first line, {subject[:SUBJECT]!r},"
    if (length := len(unicodedata.normalize("NFC", subject))) > SUBJECT:
        yield f"the first line has {length} characters, and lists cut it. Use at most {SUBJECT} (git rebase -i)."
    if subject.endswith(FULL_STOPS):
        yield f"{quoted} ends with a full stop. It is a title: remove the full stop."
    if SAYS_NOTHING.match(subject) or count_words(subject) < 2:
        yield f"{quoted} does not say what the commit does. Describe it, so that nobody has to open the commit."
    elif subject[:1].islower():
        yield f"{quoted} begins with a lower-case letter. Begin with an imperative and a capital letter."
    elif not subject[:1].isalpha():
        yield f"{quoted} does not begin with a letter. Begin with an imperative and a capital letter."
    elif is_not_imperative(subject):
        yield f"{quoted} describes what you did. Use the imperative, as in {_example(subject)!r}."


def _example(subject: str) -> str:
    return "Add a test of ..." if subject.lower().startswith("add") else "Return 0.0 for ..."


def _about_body(commit: Commit) -> Iterator[str]:
    rest = commit.message.split("\n")[1:]
    if rest and rest[0].strip():
        yield "the second line is not empty, so git takes all of it as the title. Put an empty line after the first."
    for line in rest:
        is_trailer = re.match(r"[A-Za-z-]+-by: ", line)
        if len(line) > BODY and " " in line.strip() and not is_trailer:
            yield f"the line {line[:30] + '...'!r} has {len(line)} characters: break lines at {BODY}."
    signed = sign_offs(commit.message)
    if not signed:
        hint = ""
        if SIGN_OFF in commit.message.lower():
            hint = " (git reads a sign-off in the last paragraph only, after an empty line.)"
        yield (
            "is not signed off, and without a sign-off we may not use your work. `git commit --amend -s` signs the"
            f" last commit, `git rebase --signoff upstream/main` the whole branch.{hint}"
        )
    elif _person(commit.author) not in map(_person, signed):
        yield f"is signed off by {signed[-1]}, but written by {commit.author}: the author has to sign."


def sign_offs(message: str) -> list[str]:
    """Return who signed a message off, as git reads its trailers."""
    git = Git(Path(tempfile.gettempdir()))
    parsed = git("interpret-trailers", "--parse", "--no-divider", stdin=f"{message}\n".encode())
    trailers = [line.partition(":") for line in parsed.splitlines()]
    return [value.strip() for key, _, value in trailers if key.strip().lower() == SIGN_OFF]


def _person(text: str) -> tuple[str, str]:
    """Return a name and an address in a form that is equal for the same person: no case, composed letters."""
    found = PERSON.fullmatch(unicodedata.normalize("NFC", text))
    name, address = found.groups() if found else (text, "")
    return " ".join(name.split()).casefold(), address.casefold()


def _repeated(history: list[Commit]) -> Iterator[Comment]:
    seen: dict[str, Commit] = {}
    for commit in history:
        if before := seen.get(commit.subject):
            yield Comment(
                commit.where,
                f"has the same title as {before.where}. If it fixes that commit, combine both (git rebase -i, fixup);"
                " if it does something else, describe it.",
            )
        seen[commit.subject] = commit
