"""A student's folder of a lab: create it, and find it again."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from minitorch._files import atomic_write

from .._packages import data_folder

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = "lab.json"
PARENT = Path("minitorch-labs")


def lab_files(lab: str) -> Path:
    """Return the folder of files that the course ships for a lab. Raises ValueError if it is not installed."""
    folder = data_folder("lab_files", "labs") / lab
    if (folder / "README.md").is_file():
        return folder
    raise ValueError(f"The files of the lab {lab!r} are not installed: install minitorch-course again, or use a clone.")


def create(lab: str, folder: Path, fill: Callable[[Path], None]) -> None:
    """Create the folder of a lab with the files that `fill` writes: all of them, or none.

    Raises ValueError if the folder is not empty, so that a student's work is never overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} exists already and stays as it is. To start again, give another --folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent.resolve(), prefix=f".{folder.name}."))
    try:
        fill(temporary)
        shutil.copy(lab_files(lab) / "README.md", temporary / "README.md")
        atomic_write(temporary / MARKER, json.dumps({"lab": lab}) + "\n")
        temporary.chmod(0o755)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def find(lab: str, folder: Path | None) -> Path:
    """Return the folder of a lab.

    That is `folder` if given, else the current folder or one of its parents, else the folder that `start` creates.
    Raises ValueError if the lab has not been started there.
    """
    here = Path().resolve()
    candidates = [folder] if folder is not None else [here, *here.parents, PARENT / lab]
    for candidate in candidates:
        if _lab_of(candidate) == lab:
            return candidate.resolve()
    place = folder or PARENT / lab
    raise ValueError(
        f"The lab {lab} has not been started in {place}: run `minitorch lab start {lab}`, or give --folder."
    )


def _lab_of(folder: Path) -> str | None:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))["lab"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
