"""Git, run so that neither this machine's settings nor a stranger's repository decide what it does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

OURS = {  # No settings of this machine, no questions, no hooks of a repository that somebody handed in.
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
    """What git said when it refused."""


class Git:
    """The repository in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, *arguments: str, given: bytes = b"", also: Mapping[str, str] | None = None) -> str:
        """What git prints. Raises GitError if it fails."""
        return self.bytes(*arguments, given=given, also=also).decode("utf-8", "replace").rstrip("\n")

    def bytes(self, *arguments: str, given: bytes = b"", also: Mapping[str, str] | None = None) -> bytes:
        if not shutil.which("git"):
            raise ImportError("This lab needs git, which is not installed: https://git-scm.com/downloads")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *OPTIONS, *arguments],
            cwd=self.folder,
            input=given,
            capture_output=True,
            env=kept | OURS | dict(also or {}),
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            raise GitError(f"git {arguments[0]} in {self.folder} failed: {said}")
        return done.stdout

    def lines(self, *arguments: str) -> list[str]:
        return self(*arguments).splitlines()

    def succeeds(self, *arguments: str) -> bool:
        try:
            self(*arguments)
        except GitError:
            return False
        return True

    def text(self, revision: str, path: str) -> str | None:
        """A file at a revision; None if there is none, or it is not text."""
        try:
            return self.bytes("cat-file", "blob", f"{revision}:{path}").decode("utf-8")
        except (GitError, UnicodeDecodeError):
            return None
