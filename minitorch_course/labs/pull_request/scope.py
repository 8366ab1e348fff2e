"""Review whether a pull request has one purpose, all of it, and nothing else."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from ..review import Comment
from .worktrees import changed_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..git import Git
    from .history import Commit
    from .issues import Issue

CHANGELOG, UNRELEASED = "CHANGELOG.md", "## Unreleased"
HEADING = re.compile(r" {0,3}##?[ \t]+(.*?)[ \t#]*$")
BULLET = re.compile(r" {0,3}[*+-][ \t]+\S")
FEW_LINES = 2  # changed lines for one corrected word


def review(git: Git, issue: Issue, base: str, tip: str, history: list[Commit]) -> Iterator[Comment]:
    """Report what does not belong, and what is missing besides code and tests."""
    changed = dict.fromkeys(path for commit in history for path in commit.files)
    for path in changed:
        if path not in issue.allowed:
            yield Comment(
                f"{path}:{changed_lines(git, base, tip, path)[0]}",
                f"has nothing to do with issue #{issue.number}. Remove it from this branch (git rebase -i, or"
                f" git restore --source=upstream/main {path}); if it is useful, open a separate pull request.",
            )
    present = [path for path in changed if path in issue.allowed and git.succeeds("cat-file", "-e", f"{tip}:{path}")]
    if unreadable := [path for path in present if git.text(tip, path) is None]:
        yield from (Comment(path, "is not text in UTF-8: save it as UTF-8 in your editor.") for path in unreadable)
    elif issue.code:
        yield from _functions(git, issue, base, tip)
        yield from _tests(git, issue, base, tip)
        yield from _changelog(git, base, tip)
    elif len(lines := changed_lines(git, base, tip, issue.allowed[0])) > FEW_LINES:
        yield Comment(
            f"{issue.allowed[0]}:{lines[0]}",
            f"changes {len(lines)} lines for one word. Keep the line breaks: a reviewer reads every changed line.",
        )


def functions(source: str | None) -> dict[str, tuple[int, str]]:
    """Return the line and the source of each function of a file; nothing for a file that is not valid Python."""
    try:
        tree = ast.parse(source or "")
    except SyntaxError:
        return {}
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {node.name: (node.lineno, ast.get_source_segment(source or "", node) or "") for node in found}


def _functions(git: Git, issue: Issue, base: str, tip: str) -> Iterator[Comment]:
    start = git("merge-base", base, tip)
    before, after = (functions(git.text(revision, issue.code)) for revision in (start, tip))
    for name, (line, source) in before.items():
        if name not in issue.touched and after.get(name, (0, ""))[1] != source:
            yield Comment(
                f"{issue.code}:{after.get(name, (line,))[0]}",
                f"`{name}` is changed, but issue #{issue.number} is not about it. Restore it.",
            )


def _tests(git: Git, issue: Issue, base: str, tip: str) -> Iterator[Comment]:
    start = git("merge-base", base, tip)
    before, after = (functions(git.text(revision, issue.tests)) for revision in (start, tip))
    for name, (line, source) in before.items():
        if after.get(name, (0, ""))[1] != source:
            yield Comment(
                f"{issue.tests}:{after.get(name, (line,))[0]}",
                f"the existing test `{name}` is changed or removed. Others rely on what it checks: restore it,"
                " and add your own test.",
            )


def _changelog(git: Git, base: str, tip: str) -> Iterator[Comment]:
    text = git.text(tip, CHANGELOG) or ""
    lines = text.splitlines()
    headings = {i: found[1].strip("[]").casefold() for i, line in enumerate(lines) if (found := HEADING.match(line))}
    start = next((i + 1 for i, title in headings.items() if title == "unreleased"), 0)
    end = next((i for i in headings if i >= start > 0), len(lines) if start else 0)
    before = (git.text(git("merge-base", base, tip), CHANGELOG) or "").splitlines()
    if not any(BULLET.match(line) and line not in before for line in lines[start:end]):
        yield Comment(
            f"{CHANGELOG}:{start or 1}",
            f"has no new line under `{UNRELEASED}`. Users notice this change: add a line that begins with `*`.",
        )
