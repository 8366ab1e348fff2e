"""The upstream repository: its history, always the same commits, and the one by which it moves on."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ..git import MAINTAINERS, Git
from ..lab_dir import files, lay_down

LAB = "pull-request"
UPSTREAM, FORK, CLONE, REQUESTS = "upstream.git", "fork.git", "tinyscore", "pull-requests"
TEMPLATE = ".github/PULL_REQUEST_TEMPLATE.md"
BEGUN = 1_767_254_400  # 1 January 2026, 8:00 UTC; then a commit a day
DAY = 86_400
HISTORY = {  # message: what it adds
    "Add accuracy, precision, recall and F1": ["LICENSE", "tinyscore/__init__.py", "tinyscore/classify.py"],
    "Test the scores of classifiers": ["tests/test_classify.py"],
    "Add the edit distance": ["tinyscore/text.py", "tests/test_text.py", "CHANGELOG.md"],
    "Explain the scores": ["README.md", "docs/guide.md"],
    "Check everything with one command": ["ci.py", ".github/workflows/ci.yml"],
    "Say how to contribute": ["CONTRIBUTING.md", TEMPLATE],
    "List what is to be done": [
        "ISSUES/1-typo.md",
        "ISSUES/2-division-by-zero.md",
        "ISSUES/3-word-error-rate.md",
    ],
}
MOVE = "Add specificity, and count hits in one place"
MOVED = ("tinyscore/classify.py", "tests/test_classify.py")


def start(folder: Path) -> None:
    """Lay down the lab. Raises ValueError if something is there already."""
    lay_down(LAB, folder, partial(_fill, folder))
    # A remote's address is absolute, and known only where the folder is in its place.
    clone = Git(folder / CLONE)
    for name, repository in (("origin", FORK), ("upstream", UPSTREAM)):
        clone("remote", "set-url", name, str((folder / repository).resolve()))


def _fill(folder: Path, beside: Path) -> None:
    make_upstream(beside / UPSTREAM)
    git = Git(beside)
    git("clone", "-q", "--bare", UPSTREAM, FORK)
    Git(beside / FORK)("remote", "remove", "origin")
    git("clone", "-q", FORK, CLONE)
    clone = Git(beside / CLONE)
    clone("remote", "add", "upstream", str(beside / UPSTREAM))
    clone("fetch", "-q", "upstream")
    (beside / REQUESTS).mkdir()
    shutil.copy(beside / CLONE / TEMPLATE, beside / REQUESTS / "TEMPLATE.md")


def make_upstream(folder: Path) -> None:
    """A bare repository with the history, made in one go by git's importer: the same hashes everywhere."""
    folder.mkdir(parents=True)
    git = Git(folder)
    git("init", "-q", "--bare", "--initial-branch=main")
    git("fast-import", "--quiet", given=b"".join(_commits(files(LAB) / "upstream")))


def _commits(source: Path) -> Iterator[bytes]:
    for number, (message, paths) in enumerate(HISTORY.items()):
        name, mail = MAINTAINERS["GIT_AUTHOR_NAME"], MAINTAINERS["GIT_AUTHOR_EMAIL"]
        signed = _data(f"{message}\n\nSigned-off-by: {name} <{mail}>\n".encode())
        yield b"commit refs/heads/main\n" + f"committer {name} <{mail}> {BEGUN + number * DAY} +0000\n".encode()
        yield b"data " + signed
        for path in paths:
            yield f"M 100644 inline {path}\ndata ".encode() + _data((source / path).read_bytes())


def _data(content: bytes) -> bytes:
    return str(len(content)).encode() + b"\n" + content + b"\n"


def has_moved(git: Git, main: str) -> bool:
    """Has the upstream moved on, as of the revision `main`?"""
    return MOVE in git.lines("log", "--format=%s", main)


def move(git: Git, main: str) -> str:
    """The commit by which another contributor's work is on `main`."""
    moved = {path: (files(LAB) / "moved" / path).read_bytes() for path in MOVED}
    return commit(git, tree_with(git, main, moved), [main], MOVE)


def commit(git: Git, tree: str, parents: list[str], message: str) -> str:
    """A new commit of the maintainers, without a working tree."""
    name, mail = MAINTAINERS["GIT_AUTHOR_NAME"], MAINTAINERS["GIT_AUTHOR_EMAIL"]
    number = len(git.lines("rev-list", "--first-parent", parents[0]))
    date = f"{BEGUN + number * DAY} +0000"
    arguments = [word for parent in parents for word in ("-p", parent)]
    text = f"{message}\n\nSigned-off-by: {name} <{mail}>\n".encode()
    also = {**MAINTAINERS, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    return git("commit-tree", tree, *arguments, given=text, also=also)


def tree_with(git: Git, revision: str, changed: Mapping[str, bytes]) -> str:
    """The tree of a revision with some files replaced."""
    index = {"GIT_INDEX_FILE": str(git.folder / f"index-{secrets.token_hex(8)}")}  # Of its own: threads call this.
    git("read-tree", revision, also=index)
    for path, content in changed.items():
        blob = git("hash-object", "-w", "--stdin", given=content)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", also=index)
    return git("write-tree", also=index)
