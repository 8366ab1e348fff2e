"""Recognize a pull request that is homework, and say kindly where it belongs.

    python .github/homework.py EVENT FILES

EVENT is the file with GitHub's event. FILES holds GitHub's list of the files that the pull request changes
(`GET /repos/{repo}/pulls/{number}/files`). Prints an answer to the author if the pull request is homework, and nothing
otherwise. A pull request is homework only if every file is: if it also holds one line of a contribution, a person
decides.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKSPACES = {"minitorch-course", "minitorch-labs"}  # `minitorch course start` and `minitorch lab start` create them
UNWRITTEN = "raise NotImplementedError"
NOTEBOOK = re.compile(r"\d\d_\w+\.ipynb")
ANSWER = """Hello @{author}, and well done: this looks like your own work on the course.

This repository is where the course itself is written, so homework cannot be merged here, and other students would see
your solutions. I close this pull request; nothing on your side is lost.

What I found:
{reasons}

Where it belongs:
- To submit it, run `minitorch course submit NN` (or `minitorch lab check NAME`), and give your instructor the
  archive.
- To keep it on GitHub, push it to a repository of your own, a private one while the course runs.

Did you want to fix something in the course? Then open a pull request with that change alone: CONTRIBUTING.md says how,
and a spelling mistake is a fine start. If I am wrong, say so here and a person will look.
"""


def answer(event: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the answer to the author of a pull request that is homework, or None for any other."""
    reasons = [why_homework(file) for file in files]
    if not reasons or None in reasons:
        return None
    listed = "\n".join(f"- `{file['filename']}`: {why}" for file, why in zip(files, reasons, strict=True))
    return ANSWER.format(author=event["pull_request"]["user"]["login"], reasons=listed)


def why_homework(file: Mapping[str, Any]) -> str | None:
    """Return why a changed file is a student's work, or None if it is not."""
    path = PurePosixPath(file["filename"])
    if found := WORKSPACES.intersection(path.parts):
        return f"it lies in `{found.pop()}`, a folder for your own work"
    if path.name.endswith("-submission.zip"):
        return "it is an archive to submit"
    if not NOTEBOOK.fullmatch(path.name):
        return None
    if _is_solved(file.get("patch", "")):
        return "exercises are solved in it"
    ours = path.parts[:1] == ("notebooks",)
    return None if ours else "it is a copy of a course notebook"


def _is_solved(patch: str) -> bool:
    """Return whether fewer exercises are unwritten than before."""
    lines = [line[:1] for line in patch.splitlines() if UNWRITTEN in line]
    return lines.count("-") > lines.count("+")


if __name__ == "__main__":
    found = answer(*(json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]))
    print(found or "", end="")
