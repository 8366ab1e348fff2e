"""A student's folder of a lab: how it is laid down, and how it is found again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ...train.files import write_whole

MARKER = "lab.json"
WHERE = Path("minitorch-labs")
PACKAGE = Path(__file__).parents[2]
PLACES = (PACKAGE / "course" / "labs" / "files", PACKAGE.parent / "labs")  # of an installed package, of a clone


def files(lab: str) -> Path:
    """What the course brings for a lab. Raises ValueError if it was installed without."""
    for place in PLACES:
        if (place / lab / "README.md").is_file():
            return place / lab
    raise ValueError(
        f"The files of the lab {lab!r} are not installed: install minitorch from a clone of its repository."
    )


def lay_down(lab: str, folder: Path, fill: Callable[[Path], None]) -> None:
    """Make the folder of a lab with what `fill` puts into it: all of it, or nothing.

    Raises ValueError if something is there already: a student's work is never written over.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is there already and stays as it is. To begin anew, give another --folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent.resolve(), prefix=f".{folder.name}."))
    try:
        fill(beside)
        shutil.copy(files(lab) / "README.md", beside / "README.md")
        write_whole(beside / MARKER, json.dumps({"lab": lab}) + "\n")
        beside.chmod(0o755)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def find(lab: str, given: Path | None) -> Path:
    """The folder of a lab: the one given, else this one or one around it, else where `start` puts it.

    Raises ValueError if no such lab has been started there.
    """
    here = Path().resolve()
    candidates = [given] if given is not None else [here, *here.parents, WHERE / lab]
    for folder in candidates:
        if _lab_of(folder) == lab:
            return folder.resolve()
    place = given or WHERE / lab
    raise ValueError(
        f"The lab {lab} has not been started in {place}: begin with `minitorch lab start {lab}`, or give --folder."
    )


def _lab_of(folder: Path) -> str | None:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))["lab"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
