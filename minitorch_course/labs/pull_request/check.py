"""The maintainers' response: review every pull request, move main once, and merge what is good."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import run_sandboxed
from ..git import Git
from ..review import DONE, Comment, Item, Review
from . import description
from .branch import POINTS, Branch, items
from .issues import ISSUES, Issue
from .upstream import LAB, MOVE, REQUESTS, UPSTREAM, commit, has_moved, make_upstream, move
from .worktrees import MAIN, branch_tip, gather, merge

ROUND = Item("2-round", "#2 Second round: rebased on main, and the new function is covered", 5)
MOVED = (
    "During the review, main has moved: upstream/main has a new function `specificity`, in the lines that you"
    " change, and it divides by zero like the others. Thank you for the first round! For the second, please rebase"
    " (git fetch upstream, git rebase upstream/main), resolve the conflict so that both changes stay, and extend the"
    " fix and the tests to `specificity`. Then git push --force-with-lease."
)

GH = 'gh is installed: "With a GitHub account" in README.md shows how to open a pull request on GitHub, too.'


@dataclass(frozen=True)
class Merge:
    """A merged pull request: the commit of main that it was merged into, and the commit that was merged."""

    base: str
    tip: str


def check(folder: Path, respond: bool = True) -> Review:
    """Review the lab in `folder`. If `respond`, main moves on and takes what is good, as with real maintainers.

    Raises ValueError if a repository of the lab is missing, or was changed by somebody else.
    """
    with tempfile.TemporaryDirectory(prefix="mt-lab-", ignore_cleanup_errors=True) as temporary:
        scratch = Path(temporary)
        (scratch / "git").mkdir()
        git = gather(folder, scratch / "git")
        upstream = _Upstream(git, folder, scratch, _trace(git, scratch, folder / UPSTREAM))
        found = [item for issue in ISSUES for item in upstream.review(issue, respond)]
        notes = [*upstream.notes, *run_sandboxed.sandbox_note(), *([GH] if respond and shutil.which("gh") else [])]
    return Review(LAB, found, notes)


class _Upstream:
    """The upstream during a review."""

    def __init__(self, git: Git, folder: Path, scratch: Path, merged: dict[int, Merge]):
        self.git, self.folder, self.scratch, self.merged = git, folder, scratch, merged
        self.notes: list[str] = []

    def review(self, issue: Issue, respond: bool) -> list[Item]:
        described = description.read(self.folder, issue.number)
        if described is None:
            name = f"{REQUESTS}/{issue.number}.md"
            text = f"does not exist yet: copy {REQUESTS}/TEMPLATE.md to {name}, fill it in, and push your branch."
            return self._all_with(issue, Comment(name, text))
        merged = self.merged.get(issue.number)
        tip = merged.tip if merged else branch_tip(self.git, described.branch)
        if tip is None or described.branch in ("", "main"):
            return self._all_with(issue, self._no_branch(described))
        base = merged.base if merged else self.git("rev-parse", MAIN)
        place = self.scratch / f"issue-{issue.number}"
        place.mkdir()
        found = Branch(self.git, place, issue, described, base, tip).review()
        good = all(item.status == DONE for item in found)
        if issue.number == 2:
            found.append(self._second_round(base, tip, good, respond))
        if respond and not merged and all(item.status == DONE for item in found):
            self._merge(issue, described.branch, base, tip)
        return found

    def _all_with(self, issue: Issue, comment: Comment) -> list[Item]:
        found = items(issue, {name: [comment] for name in POINTS})
        extra = [Item(ROUND.name, ROUND.title, ROUND.points, [comment])] if issue.number == 2 else []
        return found + extra

    def _no_branch(self, described: description.Description) -> Comment:
        if described.problem:
            return Comment(described.where, described.problem)
        if not described.branch:
            text = "does not name a branch: begin with the line `Branch: the-name-of-your-branch`."
        elif described.branch == "main":
            text = "main is not a branch for a pull request. Create one for each purpose: git switch -c NAME."
        else:
            text = f"names the branch {described.branch!r}, which is not in your fork: git push origin NAME."
        return Comment(f"{described.where}:1", text)

    def _second_round(self, base: str, tip: str, good: bool, respond: bool) -> Item:
        if has_moved(self.git, tip) and has_moved(self.git, base):
            text = "has to be complete before this round is over: see the comments above."
            return _round([] if good else [Comment(f"{REQUESTS}/2.md", text)])
        if good and respond and not has_moved(self.git, base):
            self._advance(move(self.git, base))
            self.notes.append("upstream/main has moved.")
            return _round([Comment("tinyscore/classify.py:10", MOVED)])
        if has_moved(self.git, base):
            return _round([Comment("tinyscore/classify.py:10", MOVED)])
        return _round([Comment(f"{REQUESTS}/2.md", "begins when the first round is done.")])

    def _merge(self, issue: Issue, branch: str, base: str, tip: str) -> None:
        tree = merge(self.git, base, tip).tree
        self._advance(commit(self.git, tree, [base, tip], f"Merge pull request #{issue.number} from {branch}"))
        self.notes.append(f"Pull request #{issue.number} is merged. Thank you! (Run git fetch upstream to see it.)")

    def _advance(self, revision: str) -> None:
        """Set main to `revision`, here and in the upstream's repository."""
        self.git("update-ref", MAIN, revision)
        Git(self.folder / UPSTREAM)("fetch", "-q", "--no-auto-gc", str(self.git.folder), f"{MAIN}:refs/heads/main")


def _round(comments: list[Comment]) -> Item:
    return Item(ROUND.name, ROUND.title, ROUND.points, comments)


def _trace(git: Git, scratch: Path, upstream: Path) -> dict[int, Merge]:
    """Return what was merged, by issue. Raises ValueError if main has a commit that is not the maintainers'."""
    make_upstream(scratch / "initial.git")
    initial = Git(scratch / "initial.git")("rev-parse", "main")
    git("fetch", "-q", "--no-tags", str(scratch / "initial.git"), "main")
    merged, before = {}, initial
    for line in git.lines("rev-list", "--first-parent", "--reverse", "--parents", MAIN, f"^{initial}"):
        name, *parents = line.split()
        if parents[:1] != [before] or name != _by_maintainers(git, name, parents, merged):
            fix = f"git -C {upstream} update-ref refs/heads/main {before}"
            raise ValueError(
                f"main of {upstream} has commit {name[:7]}, which the maintainers did not make: only they push to"
                f" upstream. Undo it with `{fix}`, and push to origin, your fork."
            )
        before = name
    if before != git("rev-parse", MAIN):
        raise ValueError(
            f"main of {upstream} was replaced. Restore it: `git -C {upstream} update-ref refs/heads/main {initial}`"
        )
    return merged


def _by_maintainers(git: Git, name: str, parents: list[str], merged: dict[int, Merge]) -> str:
    """Return the commit that the maintainers would have made instead of `name`; a merge is added to `merged`."""
    subject = git("show", "-s", "--format=%s", name)
    if subject == MOVE and len(parents) == 1:
        return move(git, parents[0])
    number = next(
        (issue.number for issue in ISSUES if subject.startswith(f"Merge pull request #{issue.number} from ")), 0
    )
    if not number or len(parents) != 2:
        return ""
    merged[number] = Merge(*parents)
    return commit(git, merge(git, *parents).tree or name + "^{tree}", parents, subject)
