"""One pull request, looked at as its reviewer does: item by item, each with what is to be said about it."""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import run_sandboxed
from ..git import Git
from ..review import Comment, Item
from ..run_sandboxed import Ended
from . import description, history, scope
from .description import Description
from .issues import Call, Issue, calls, wrong_codes
from .upstream import tree_with
from .worktrees import changed_lines, merge, write_out

SECONDS = 60
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--noconftest")
POINTS = {  # of an issue that is only text, and of one about code
    "description": ("The description says what, why, and how it was tested", 2, 3),
    "history": ("The commits can be read", 3, 6),
    "scope": ("One purpose, and all of it", 2, 4),
    "merge": ("Merged into main, it passes upstream's CI", 4, 8),
    "test": ("A test fails without the change, and notices wrong ways to do it", 0, 10),
    "behaviour": ("It does what the issue asks for", 4, 9),
}
# Calls functions of tinyscore and prints what they give. It judges nothing: a student's code runs in the same process.
DRIVER = """
import importlib, json, sys
given = []
for module, function, arguments in json.loads(sys.argv[1]):
    try:
        given.append(float(getattr(importlib.import_module("tinyscore." + module), function)(*arguments)))
    except Exception as error:
        given.append(type(error).__name__)
print()
print(json.dumps(given))
"""


@dataclass(frozen=True)
class Branch:
    """A pull request for `issue`: `tip` is to be merged into `base`. `scratch` is an empty folder."""

    git: Git
    scratch: Path
    issue: Issue
    described: Description
    base: str
    tip: str

    def review(self) -> list[Item]:
        """Every item, with its comments."""
        commits = history.commits(self.git, self.base, self.tip)
        if not commits:
            text = "has no commit that main has not: commit on it, and push it (git push origin HEAD)."
            return items(self.issue, {name: [Comment(f"branch {self.described.branch}", text)] for name in POINTS})
        merged = merge(self.git, self.base, self.tip)
        found = {
            "description": list(description.judge(self.described)),
            "history": list(history.judge(commits)),
            "scope": list(scope.judge(self.git, self.issue, self.base, self.tip, commits)),
        }
        if merged.conflicts:
            return items(self.issue, found | self._in_conflict(merged.conflicts))
        found["merge"] = list(self._ci(merged.tree))
        found["behaviour"] = list(self._behaviour(merged.tree))
        found["test"] = list(self._test(commits))
        return items(self.issue, found)

    def _in_conflict(self, files: tuple[str, ...]) -> dict[str, list[Comment]]:
        text = (
            f"is changed on main too, and the two changes are in conflict: git cannot merge {self.described.branch}."
            " Rebase it: git fetch upstream, git rebase upstream/main, keep what both want, then"
            " git push --force-with-lease."
        )
        comments = [Comment(f"{path}:{changed_lines(self.git, self.base, self.tip, path)[0]}", text) for path in files]
        later = [Comment(f"branch {self.described.branch}", "could not be tried before the conflict is settled.")]
        return {"merge": comments, "test": later, "behaviour": later}

    def _tree(self, name: str, tree: str) -> Path:
        return write_out(self.git, tree, self.scratch / name)

    def _ci(self, tree: str) -> Iterator[Comment]:
        ours = self.git.bytes("cat-file", "blob", f"{self.base}:ci.py")
        ended = run_sandboxed.run(self._tree("merged", tree_with(self.git, tree, {"ci.py": ours})), ["ci.py"], SECONDS)
        if not ended.well:
            yield Comment(_place(ended) or "ci.py", f"CI fails on the merge: {ended.last_words()}. Run `python ci.py`.")

    def _behaviour(self, tree: str) -> Iterator[Comment]:
        if not self.issue.code:
            yield from self._spelling(tree)
            return
        specificity = "def specificity(" in (self.git.text(tree, self.issue.code) or "")
        asked = calls(self.issue, secrets.randbelow(2**31), specificity)
        text = json.dumps([(call.module, call.function, call.arguments) for call in asked])
        ended = run_sandboxed.run(self.scratch / "merged", ["-c", DRIVER, text], SECONDS)
        lines = self.git.text(tree, self.issue.code) or ""
        wrong: dict[str, Comment] = {}
        for call, given in zip(asked, _answers(ended, len(asked)), strict=True):
            if not _is_right(call, given):
                where = f"{self.issue.code}:{scope.functions(lines).get(call.function, (1,))[0]}"
                wrong.setdefault(
                    call.function, Comment(where, f"{call} gives {given}, and {call.expected} was asked for.")
                )
        yield from wrong.values()

    def _spelling(self, tree: str) -> Iterator[Comment]:
        path = self.issue.allowed[0]
        lines = (self.git.text(tree, path) or "").splitlines()
        for number, line in enumerate(lines, 1):
            if "occurence" in line.lower():
                yield Comment(f"{path}:{number}", "still says `occurence`.")
        if not any("occurrence" in line for line in lines):
            yield Comment(f"{path}:{len(lines)}", "the word `occurrence` shall be there, rightly spelt.")

    def _test(self, commits: list[history.Commit]) -> Iterator[Comment]:
        if not self.issue.code:
            return
        where = f"{self.issue.tests}:{changed_lines(self.git, self.base, self.tip, self.issue.tests)[0]}"
        if all(self.issue.tests not in commit.files for commit in commits):
            yield Comment(self.issue.tests, "holds no new test: write one that fails without your change.")
            return
        yield from self._order(commits)
        old = self.git.text(self.base, self.issue.code) or ""
        versions = {"": old, **wrong_codes(self.issue, old)}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            passed = dict(zip(versions, pool.map(self._passes, versions.values()), strict=True))
        if passed.pop(""):
            yield Comment(where, "the tests pass without your change as well, so they do not show that it is needed.")
            return
        for what in (what for what, passes in passed.items() if passes):
            yield Comment(where, f"the tests would accept a change {what}. Add a test that tells it from a right one.")

    def _order(self, commits: list[history.Commit]) -> Iterator[Comment]:
        first = next((commit for commit in commits if self.issue.code in commit.files), None)
        tested = next(commit for commit in commits if self.issue.tests in commit.files)
        if first and commits.index(tested) > commits.index(first):
            yield Comment(
                first.where,
                "changes the code before there is a test. Put the test first, or into the same commit (git rebase -i):"
                " then everybody can see it fail.",
            )

    def _passes(self, code: str) -> bool:
        """Do the branch's tests pass with this code in place of the branch's?"""
        tests = self.git.bytes("cat-file", "blob", f"{self.tip}:{self.issue.tests}")
        tree = tree_with(self.git, self.base, {self.issue.tests: tests, self.issue.code: code.encode()})
        return run_sandboxed.run(self._tree(f"tree-{tree}", tree), [*PYTEST, self.issue.tests], SECONDS).well


def items(issue: Issue, found: dict[str, list[Comment]]) -> list[Item]:
    """The items of an issue; those without comments are done."""
    made = []
    for name, (title, text_points, code_points) in POINTS.items():
        if points := code_points if issue.code else text_points:
            made.append(Item(f"{issue.number}-{name}", f"#{issue.number} {title}", points, found.get(name, [])))
    return made


def _answers(ended: Ended, number: int) -> list[Any]:
    try:
        given = json.loads(ended.said.strip().splitlines()[-1])
        return given if len(given) == number else [ended.last_words()] * number
    except (ValueError, IndexError, TypeError):
        return [ended.last_words()] * number


def _is_right(call: Call, given: Any) -> bool:
    if isinstance(call.expected, str) or isinstance(given, str):
        return given == call.expected
    return isinstance(given, float) and math.isclose(given, call.expected, abs_tol=1e-9)


def _place(ended: Ended) -> str:
    """The file and line that a failing program names first."""
    for line in ended.said.splitlines():
        path, _, rest = line.strip().partition(":")
        if path.endswith((".py", ".md")) and rest.split(":")[0].isdigit():
            return f"{path}:{rest.split(':')[0]}"
    return ""
