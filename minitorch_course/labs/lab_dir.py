"""A student's folder of a lab: how it is laid down, and how it is found again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from minitorch._files import atomic_write

from .._packages import data_folder

MARKER = "lab.json"
WHERE = Path("minitorch-labs")


def files(lab: str) -> Path:
    """What the course brings for a lab. Raises ValueError if it was installed without."""
    folder = data_folder("lab_files", "labs") / lab
    if (folder / "README.md").is_file():
        return folder
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
        atomic_write(beside / MARKER, json.dumps({"lab": lab}) + "\n")
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
