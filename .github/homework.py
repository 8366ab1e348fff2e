"""Is a pull request homework that lost its way? Then say kindly where it belongs.

    python .github/homework.py EVENT FILES

EVENT is the file with GitHub's event, FILES one with the answer of its interface to "which files does this pull request
change?" (`GET /repos/{repo}/pulls/{number}/files`). Prints an answer for whoever opened it, or nothing if it is a
contribution like any other. A pull request is homework only if each of its files is: one line of a real contribution
beside them, and a person decides.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

WORKSPACES = {"minitorch-course", "minitorch-labs"}  # what `minitorch course start` and `minitorch lab start` make
UNWRITTEN = "raise NotImplementedError"
NOTEBOOK = re.compile(r"\d\d_\w+\.ipynb")
ANSWER = """Hello @{author}, and well done: this looks like your own work on the course.

This repository is where the course itself is written, so homework cannot be merged here, and other students would see
your solutions. I close this pull request; nothing on your side is lost.

What I found:
{reasons}

Where it belongs:
- To hand in, run `minitorch course submit NN` (or `minitorch lab check NAME`), and give the archive to your instructor.
- To keep it on GitHub, push it to a repository of your own, a private one while the course runs.

Did you mean to mend something in the course? Then open a pull request with that change alone: CONTRIBUTING.md says how,
and a spelling mistake is a fine beginning. If I am wrong, say so here and a person will look.
"""


def answer(event: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str | None:
    """What to say to the author of a pull request that is homework; None for any other."""
    reasons = [why_homework(file) for file in files]
    if not reasons or None in reasons:
        return None
    listed = "\n".join(f"- `{file['filename']}`: {why}" for file, why in zip(files, reasons, strict=True))
    return ANSWER.format(author=event["pull_request"]["user"]["login"], reasons=listed)


def why_homework(file: Mapping[str, Any]) -> str | None:
    """Why a changed file is a student's work, or None."""
    path = PurePosixPath(file["filename"])
    if found := WORKSPACES.intersection(path.parts):
        return f"it lies in `{found.pop()}`, a folder for your own work"
    if path.name.endswith("-submission.zip"):
        return "it is an archive to hand in"
    if not NOTEBOOK.fullmatch(path.name):
        return None
    if _is_solved(file.get("patch", "")):
        return "exercises are solved in it"
    ours = path.parts[:1] == ("notebooks",)
    return None if ours else "it is a notebook of the course in a place of its own"


def _is_solved(patch: str) -> bool:
    """Are there fewer unwritten exercises than before?"""
    lines = [line[:1] for line in patch.splitlines() if UNWRITTEN in line]
    return lines.count("-") > lines.count("+")


if __name__ == "__main__":
    found = answer(*(json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]))
    print(found or "", end="")
