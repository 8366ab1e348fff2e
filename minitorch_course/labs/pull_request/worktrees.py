"""A scratch copy of both repositories, in which branches are merged, compared and written out as files."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from ..git import MAINTAINERS, Git, GitError
from .upstream import FORK, UPSTREAM

MAIN = "refs/lab/upstream/main"
LARGEST = 20_000_000  # bytes of a tree that is written out


@dataclass(frozen=True)
class Merged:
    """The tree of a merge, or the files that are in conflict."""

    tree: str
    conflicts: tuple[str, ...] = ()


def gather(folder: Path, scratch: Path) -> Git:
    """A new repository in `scratch` with the upstream's main branch and all branches of the fork.

    Raises ValueError if one of the lab's repositories is gone.
    """
    git = Git(scratch)
    git("init", "-q", ".")
    for name, refs in ((UPSTREAM, f"+refs/heads/main:{MAIN}"), (FORK, "+refs/heads/*:refs/lab/fork/*")):
        try:
            git("fetch", "-q", "--no-tags", "--no-auto-gc", str(folder / name), refs)
        except GitError as error:
            raise ValueError(
                f"{folder / name} cannot be read: start the lab anew in another folder. ({error})"
            ) from error
    return git


def branch_tip(git: Git, branch: str) -> str | None:
    """The commit at the tip of a branch of the fork."""
    ref = f"refs/lab/fork/{branch}"
    return git("rev-parse", f"{ref}^{{commit}}") if git.succeeds("show-ref", "--verify", ref) else None


def merge(git: Git, base: str, tip: str) -> Merged:
    """Merge `tip` into `base`, as upstream would."""
    git("checkout", "-q", "--force", "--detach", base)
    try:
        git("merge", "-q", "--no-ff", "--no-commit", tip, also=MAINTAINERS)
    except GitError:
        conflicts = git.lines("diff", "--name-only", "--diff-filter=U")
        git("reset", "-q", "--hard", base)
        return Merged("", tuple(conflicts) or ("(unrelated history)",))
    return Merged(git("write-tree"))


def write_out(git: Git, tree: str, folder: Path) -> Path:
    """The files of a tree in a new folder. Raises ValueError if they are too large."""
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(git.bytes("archive", "--format=tar", tree))) as archive:
        if sum(member.size for member in archive) > LARGEST:
            raise ValueError(
                f"The branch holds more than {LARGEST:,} bytes: something was committed that does not belong."
            )
        archive.extractall(folder, [m for m in archive if m.isfile() or m.isdir()], filter="data")
    return folder


def changed_lines(git: Git, base: str, tip: str, path: str) -> list[int]:
    """The lines of a file at `tip` that are new since it left `base`; where lines were only removed, the one before."""
    found = []
    diff = git("diff", "--no-ext-diff", "--no-renames", "-U0", f"{base}...{tip}", "--", path)
    for start, count in re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", diff, re.MULTILINE):
        found += range(int(start), int(start) + max(1, int(count or 1)))
    return found or [1]
