"""Review one pull request, item by item, with a comment for everything that is missing."""

from __future__ import annotations

import json
import math
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import run_sandboxed
from ..review import Comment, Item
from . import description, history, scope
from .issues import Call, Issue, calls, wrong_solutions
from .upstream import tree_with
from .worktrees import changed_lines, merge, write_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..git import Git
    from ..run_sandboxed import Completed
    from .description import Description

SECONDS = 60
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--noconftest")
POINTS = {  # item: (title, points for an issue about text, points for an issue about code)
    "description": ("The description says what, why, and how it was tested", 2, 3),
    "history": ("The commits are readable", 3, 6),
    "scope": ("One purpose, and all of it", 2, 4),
    "merge": ("After the merge into main, upstream's CI passes", 4, 8),
    "test": ("A test fails without the change, and detects wrong solutions", 0, 10),
    "behaviour": ("It does what the issue requires", 4, 9),
}
# Calls functions of tinyscore and prints the results. Results are judged elsewhere, because this process runs
# the student's code.
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
        """Return every item, with its comments."""
        commits = history.commits(self.git, self.base, self.tip)
        if not commits:
            text = "has no commits besides those of main: commit on it, and push it (git push origin HEAD)."
            return items(self.issue, {name: [Comment(f"branch {self.described.branch}", text)] for name in POINTS})
        merged = merge(self.git, self.base, self.tip)
        found = {
            "description": list(description.review(self.described)),
            "history": list(history.review(commits)),
            "scope": list(scope.review(self.git, self.issue, self.base, self.tip, commits)),
        }
        if merged.conflicts:
            return items(self.issue, found | self._in_conflict(merged.conflicts))
        found["merge"] = list(self._ci(merged.tree))
        found["behaviour"] = list(self._behaviour(merged.tree))
        found["test"] = list(self._test(commits))
        return items(self.issue, found)

    def _in_conflict(self, files: tuple[str, ...]) -> dict[str, list[Comment]]:
        text = (
            f"is changed on main, too, and the two changes conflict: git cannot merge {self.described.branch}."
            " Rebase it: git fetch upstream, git rebase upstream/main, keep both changes, then"
            " git push --force-with-lease."
        )
        comments = [Comment(f"{path}:{changed_lines(self.git, self.base, self.tip, path)[0]}", text) for path in files]
        later = [Comment(f"branch {self.described.branch}", "could not be tested: resolve the conflict first.")]
        return {"merge": comments, "test": later, "behaviour": later}

    def _tree(self, name: str, tree: str) -> Path:
        return write_out(self.git, tree, self.scratch / name)

    def _ci(self, tree: str) -> Iterator[Comment]:
        ours = self.git.bytes("cat-file", "blob", f"{self.base}:ci.py")
        completed = run_sandboxed.run_python(
            self._tree("merged", tree_with(self.git, tree, {"ci.py": ours})), ["ci.py"], SECONDS
        )
        if not completed.succeeded:
            yield Comment(
                _place(completed) or "ci.py", f"CI fails after the merge: {completed.tail()}. Run `python ci.py`."
            )

    def _behaviour(self, tree: str) -> Iterator[Comment]:
        if not self.issue.code:
            yield from self._spelling(tree)
            return
        specificity = "def specificity(" in (self.git.text(tree, self.issue.code) or "")
        expected = calls(self.issue, secrets.randbelow(2**31), specificity)
        text = json.dumps([(call.module, call.function, call.arguments) for call in expected])
        completed = run_sandboxed.run_python(self.scratch / "merged", ["-c", DRIVER, text], SECONDS)
        lines = self.git.text(tree, self.issue.code) or ""
        wrong: dict[str, Comment] = {}
        for call, given in zip(expected, _answers(completed, len(expected)), strict=True):
            if not _is_right(call, given):
                where = f"{self.issue.code}:{scope.functions(lines).get(call.function, (1,))[0]}"
                wrong.setdefault(
                    call.function, Comment(where, f"{call} returns {given}, but the issue requires {call.expected}.")
                )
        yield from wrong.values()

    def _spelling(self, tree: str) -> Iterator[Comment]:
        path = self.issue.allowed[0]
        lines = (self.git.text(tree, path) or "").splitlines()
        for number, line in enumerate(lines, 1):
            if "occurence" in line.lower():
                yield Comment(f"{path}:{number}", "still contains `occurence`.")
        if not any("occurrence" in line for line in lines):
            yield Comment(f"{path}:{len(lines)}", "the word `occurrence` should be there, spelt correctly.")

    def _test(self, commits: list[history.Commit]) -> Iterator[Comment]:
        if not self.issue.code:
            return
        where = f"{self.issue.tests}:{changed_lines(self.git, self.base, self.tip, self.issue.tests)[0]}"
        if all(self.issue.tests not in commit.files for commit in commits):
            yield Comment(self.issue.tests, "has no new test: write one that fails without your change.")
            return
        yield from self._order(commits)
        old = self.git.text(self.base, self.issue.code) or ""
        versions = {"": old, **wrong_solutions(self.issue, old)}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            passed = dict(zip(versions, pool.map(self._passes, versions.values()), strict=True))
        if passed.pop(""):
            yield Comment(where, "the tests pass without your change, too, so they do not show that it is needed.")
            return
        for what in (what for what, passes in passed.items() if passes):
            yield Comment(where, f"the tests would accept a change {what}. Add a test that detects it.")

    def _order(self, commits: list[history.Commit]) -> Iterator[Comment]:
        first = next((commit for commit in commits if self.issue.code in commit.files), None)
        tested = next(commit for commit in commits if self.issue.tests in commit.files)
        if first and commits.index(tested) > commits.index(first):
            yield Comment(
                first.where,
                "changes the code before there is a test. Put the test first, or in the same commit (git rebase -i):"
                " then everybody can see it fail first.",
            )

    def _passes(self, code: str) -> bool:
        """Return whether the branch's tests pass with this code instead of the branch's."""
        tests = self.git.bytes("cat-file", "blob", f"{self.tip}:{self.issue.tests}")
        tree = tree_with(self.git, self.base, {self.issue.tests: tests, self.issue.code: code.encode()})
        return run_sandboxed.run_python(
            self._tree(f"tree-{tree}", tree), [*PYTEST, self.issue.tests], SECONDS
        ).succeeded


def items(issue: Issue, found: dict[str, list[Comment]]) -> list[Item]:
    """Return the items of an issue; those without comments are done."""
    result = []
    for name, (title, text_points, code_points) in POINTS.items():
        if points := code_points if issue.code else text_points:
            result.append(Item(f"{issue.number}-{name}", f"#{issue.number} {title}", points, found.get(name, [])))
    return result


def _answers(completed: Completed, number: int) -> list[Any]:
    try:
        given = json.loads(completed.output.strip().splitlines()[-1])
        return given if len(given) == number else [completed.tail()] * number
    except (ValueError, IndexError, TypeError):
        return [completed.tail()] * number


def _is_right(call: Call, given: Any) -> bool:
    if isinstance(call.expected, str) or isinstance(given, str):
        return given == call.expected
    return isinstance(given, float) and math.isclose(given, call.expected, abs_tol=1e-9)


def _place(completed: Completed) -> str:
    """Return the file and line that the output of a failing program names first."""
    for line in completed.output.splitlines():
        path, _, rest = line.strip().partition(":")
        if path.endswith((".py", ".md")) and rest.split(":")[0].isdigit():
            return f"{path}:{rest.split(':')[0]}"
    return ""
