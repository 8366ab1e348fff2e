"""Review the commits of a branch, as a maintainer would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..review import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..git import Git

SUBJECT, BODY = 60, 72  # longest lines of a message
FIELDS = "%H%x00%P%x00%an <%ae>%x00%B"
SAYS_NOTHING = re.compile(r"(?i)^(wip|fixup!|squash!|amend!|temp|stuff|misc|update[sd]?$)")
NOT_PAST = {"Bring", "Embed", "Exceed", "Feed", "Need", "Proceed", "Seed", "Shed", "Speed", "Spring", "String"}
NOT_THIRD_PERSON = {"Canvas", "Focus", "Alias", "Bias"}


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
        return self.message.split("\n", 1)[0]

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
    first = subject.split(" ")[0]
    quoted = f"the first line, {subject[:SUBJECT]!r},"
    if len(subject) > SUBJECT:
        yield f"the first line has {len(subject)} characters, and lists cut it. Use at most {SUBJECT} (git rebase -i)."
    if subject.endswith("."):
        yield f"{quoted} ends with a full stop. It is a title: remove the full stop."
    if SAYS_NOTHING.match(subject) or len(subject.split()) < 2:
        yield f"{quoted} does not say what the commit does. Describe it, so that nobody has to open the commit."
    elif not first[:1].isupper():
        yield f"{quoted} begins with a lower-case letter. Begin with an imperative and a capital letter."
    elif _is_not_imperative(first):
        yield f"{quoted} describes what you did. Use the imperative, as in {_example(first)!r}."


def _is_not_imperative(word: str) -> bool:
    past = word.endswith(("ed", "ing")) and word not in NOT_PAST
    third_person = word.endswith("s") and not word.endswith("ss") and word not in NOT_THIRD_PERSON
    return past or third_person


def _example(word: str) -> str:
    return "Add a test of ..." if word.lower().startswith("add") else "Return 0.0 for ..."


def _about_body(commit: Commit) -> Iterator[str]:
    rest = commit.message.split("\n")[1:]
    if rest and rest[0].strip():
        yield "the second line is not empty, so git takes all of it as the title. Put an empty line after the first."
    for line in rest:
        if len(line) > BODY and " " in line.strip() and not line.startswith("Signed-off-by:"):
            yield f"the line {line[:30] + '...'!r} has {len(line)} characters: break lines at {BODY}."
    signed = re.findall(r"^Signed-off-by: (.+)$", commit.message, re.MULTILINE)
    if not signed:
        yield (
            "is not signed off, and without a sign-off we may not use your work. `git commit --amend -s` signs the"
            " last commit, `git rebase --signoff upstream/main` the whole branch."
        )
    elif commit.author not in [line.strip() for line in signed]:
        yield f"is signed off by {signed[-1]}, but written by {commit.author}: the author has to sign."


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
