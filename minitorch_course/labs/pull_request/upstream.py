"""The upstream repository: its reproducible history, and the commit by which it moves on."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

from ..git import MAINTAINERS, Git
from ..lab_dir import create, lab_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LAB = "pull-request"
UPSTREAM, FORK, CLONE, REQUESTS = "upstream.git", "fork.git", "tinyscore", "pull-requests"
TEMPLATE = ".github/PULL_REQUEST_TEMPLATE.md"
FIRST_COMMIT = 1_767_254_400  # 1 January 2026, 8:00 UTC; then one commit per day
DAY = 86_400
HISTORY = {  # message: files that the commit adds
    "Add accuracy, precision, recall and F1": ["LICENSE", "tinyscore/__init__.py", "tinyscore/classify.py"],
    "Test the scores of classifiers": ["tests/test_classify.py"],
    "Add the edit distance": ["tinyscore/text.py", "tests/test_text.py", "CHANGELOG.md"],
    "Explain the scores": ["README.md", "docs/guide.md"],
    "Check everything with one command": ["ci.py", ".github/workflows/ci.yml"],
    "Explain how to contribute": ["CONTRIBUTING.md", TEMPLATE],
    "List open issues": [
        "ISSUES/1-typo.md",
        "ISSUES/2-division-by-zero.md",
        "ISSUES/3-word-error-rate.md",
    ],
}
MOVE = "Add specificity, and count hits in one place"
MOVED = ("tinyscore/classify.py", "tests/test_classify.py")


def start(folder: Path) -> None:
    """Create the lab's folder. Raises ValueError if it is not empty."""
    create(LAB, folder, _fill)
    # The address of a remote is absolute, so it is known only after the folder has been moved into place.
    clone = Git(folder / CLONE)
    for name, repository in (("origin", FORK), ("upstream", UPSTREAM)):
        clone("remote", "set-url", name, str((folder / repository).resolve()))


def _fill(folder: Path) -> None:
    make_upstream(folder / UPSTREAM)
    git = Git(folder)
    git("clone", "-q", "--bare", UPSTREAM, FORK)
    Git(folder / FORK)("remote", "remove", "origin")
    git("clone", "-q", FORK, CLONE)
    clone = Git(folder / CLONE)
    clone("remote", "add", "upstream", str(folder / UPSTREAM))
    clone("fetch", "-q", "upstream")
    (folder / REQUESTS).mkdir()
    shutil.copy(folder / CLONE / TEMPLATE, folder / REQUESTS / "TEMPLATE.md")


def make_upstream(folder: Path) -> None:
    """Create a bare repository with the history, by git's importer, so that the hashes are the same everywhere."""
    folder.mkdir(parents=True)
    git = Git(folder)
    git("init", "-q", "--bare", "--initial-branch=main")
    git("fast-import", "--quiet", stdin=b"".join(_commits(lab_files(LAB) / "upstream")))


def _commits(source: Path) -> Iterator[bytes]:
    for number, (message, paths) in enumerate(HISTORY.items()):
        name, mail = MAINTAINERS["GIT_AUTHOR_NAME"], MAINTAINERS["GIT_AUTHOR_EMAIL"]
        signed = _data(f"{message}\n\nSigned-off-by: {name} <{mail}>\n".encode())
        yield b"commit refs/heads/main\n" + f"committer {name} <{mail}> {FIRST_COMMIT + number * DAY} +0000\n".encode()
        yield b"data " + signed
        for path in paths:
            yield f"M 100644 inline {path}\ndata ".encode() + _data((source / path).read_bytes())


def _data(content: bytes) -> bytes:
    return str(len(content)).encode() + b"\n" + content + b"\n"


def has_moved(git: Git, main: str) -> bool:
    """Return whether the upstream has moved on, as of the revision `main`."""
    return MOVE in git.lines("log", "--format=%s", main)


def move(git: Git, main: str) -> str:
    """Return a commit on `main` with another contributor's work."""
    moved = {path: (lab_files(LAB) / "moved" / path).read_bytes() for path in MOVED}
    return commit(git, tree_with(git, main, moved), [main], MOVE)


def commit(git: Git, tree: str, parents: list[str], message: str) -> str:
    """Return a new commit of the maintainers, created without a working tree."""
    name, mail = MAINTAINERS["GIT_AUTHOR_NAME"], MAINTAINERS["GIT_AUTHOR_EMAIL"]
    number = len(git.lines("rev-list", "--first-parent", parents[0]))
    date = f"{FIRST_COMMIT + number * DAY} +0000"
    arguments = [word for parent in parents for word in ("-p", parent)]
    text = f"{message}\n\nSigned-off-by: {name} <{mail}>\n".encode()
    env = {**MAINTAINERS, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    return git("commit-tree", tree, *arguments, stdin=text, env=env)


def tree_with(git: Git, revision: str, changed: Mapping[str, bytes]) -> str:
    """Return the tree of a revision with some files replaced."""
    index = {
        "GIT_INDEX_FILE": str(git.folder / f"index-{secrets.token_hex(8)}")
    }  # A file of its own, because threads call this.
    git("read-tree", revision, env=index)
    for path, content in changed.items():
        blob = git("hash-object", "-w", "--stdin", stdin=content)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
    return git("write-tree", env=index)
