"""Git, isolated from the settings of this machine and from hooks of untrusted repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ISOLATION = {  # no settings of this machine, and no questions
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*", "-c", "core.autocrlf=false", "-c", "gc.auto=0")
MAINTAINERS = {
    "GIT_AUTHOR_NAME": "tinyscore maintainers",
    "GIT_AUTHOR_EMAIL": "maintainers@tinyscore.example",
    "GIT_COMMITTER_NAME": "tinyscore maintainers",
    "GIT_COMMITTER_EMAIL": "maintainers@tinyscore.example",
}


class GitError(ValueError):
    """A git command failed; the message holds its error output."""


class Git:
    """The repository in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run git and return its output. Raises GitError if it fails."""
        return self.bytes(*arguments, stdin=stdin, env=env).decode("utf-8", "replace").rstrip("\n")

    def bytes(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run git and return its output as bytes. Raises GitError if it fails."""
        if not shutil.which("git"):
            raise ImportError("This lab needs git, which is not installed: https://git-scm.com/downloads")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *OPTIONS, *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            env=kept | ISOLATION | dict(env or {}),
            check=False,
        )
        if done.returncode:
            output = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise GitError(f"git {arguments[0]} in {self.folder} failed: {output}")
        return done.stdout

    def lines(self, *arguments: str) -> list[str]:
        """Run git and return the lines of its output."""
        return self(*arguments).splitlines()

    def succeeds(self, *arguments: str) -> bool:
        """Return whether a git command exits with 0."""
        try:
            self(*arguments)
        except GitError:
            return False
        return True

    def text(self, revision: str, path: str) -> str | None:
        """Return a file at a revision, or None if it does not exist or is not text in UTF-8."""
        try:
            return self.bytes("cat-file", "blob", f"{revision}:{path}").decode("utf-8-sig")
        except (GitError, UnicodeDecodeError):
            return None
