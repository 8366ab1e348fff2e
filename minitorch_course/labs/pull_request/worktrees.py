"""A scratch copy of both repositories, in which branches are merged, compared and written to files."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..git import MAINTAINERS, Git, GitError
from .upstream import FORK, UPSTREAM

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "refs/lab/upstream/main"
MAX_BYTES = 20_000_000  # of a tree


@dataclass(frozen=True)
class Merged:
    """The tree of a merge, or the files in conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()


def gather(folder: Path, scratch: Path) -> Git:
    """Return a new repository in `scratch` with the upstream's main branch and all branches of the fork.

    Raises ValueError if one of the lab's repositories does not exist.
    """
    git = Git(scratch)
    git("init", "-q", ".")
    for name, refs in ((UPSTREAM, f"+refs/heads/main:{MAIN}"), (FORK, "+refs/heads/*:refs/lab/fork/*")):
        try:
            git("fetch", "-q", "--no-tags", "--no-auto-gc", str(folder / name), refs)
        except GitError as error:
            raise ValueError(
                f"{folder / name} cannot be read: start the lab again in another folder. ({error})"
            ) from error
    return git


def branch_tip(git: Git, branch: str) -> str | None:
    """Return the commit at the tip of a branch of the fork, or None if it does not exist."""
    ref = f"refs/lab/fork/{branch}"
    return git("rev-parse", f"{ref}^{{commit}}") if git.succeeds("show-ref", "--verify", ref) else None


def merge(git: Git, base: str, tip: str) -> Merged:
    """Merge `tip` into `base`, as upstream would."""
    git("checkout", "-q", "--force", "--detach", base)
    try:
        git("merge", "-q", "--no-ff", "--no-commit", tip, env=MAINTAINERS)
    except GitError:
        conflicts = git.lines("diff", "--name-only", "--diff-filter=U")
        git("reset", "-q", "--hard", base)
        return Merged("", tuple(conflicts) or ("(unrelated history)",))
    return Merged(git("write-tree"))


def write_out(git: Git, tree: str, folder: Path) -> Path:
    """Write the files of a tree to a new folder. Raises ValueError if they are too large."""
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(git.bytes("archive", "--format=tar", tree))) as archive:
        if sum(member.size for member in archive) > MAX_BYTES:
            raise ValueError(
                f"The branch has more than {MAX_BYTES:,} bytes: remove files that do not belong in the project."
            )
        archive.extractall(folder, [m for m in archive if m.isfile() or m.isdir()], filter="data")
    return folder


def changed_lines(git: Git, base: str, tip: str, path: str) -> list[int]:
    """Return the lines of a file at `tip` that are new since it left `base`.

    Where lines were only removed, that is the line before them.
    """
    found = []
    diff = git("diff", "--no-ext-diff", "--no-renames", "-U0", f"{base}...{tip}", "--", path)
    for start, count in re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", diff, re.MULTILINE):
        found += range(int(start), int(start) + max(1, int(count or 1)))
    return found or [1]
