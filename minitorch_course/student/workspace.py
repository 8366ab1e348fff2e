"""A student's folder: a notebook is put into it, worked on, and handed in."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from .homework import exercises, meant, released, released_names

HANDOUT = Path(__file__).parents[1] / "handout"
FOLDER = Path("minitorch-course")


def start(wanted: str, workspace: Path) -> tuple[Path, bool]:
    """Put a notebook of the course (`02`, `02_autodiff`) into the folder: its path, and whether it is new there.

    What a student has is never written over. Raises ValueError for a notebook that does not exist.
    """
    name = meant(wanted)
    workspace.mkdir(parents=True, exist_ok=True)
    for page in sorted(HANDOUT.glob("*.md")):
        _put(page, workspace / page.name)
    path = workspace / f"{name}.ipynb"
    return path, _put(released(name), path)


def _put(original: Path, path: Path) -> bool:
    """Copy a file to where there is none; False if there is one."""
    if path.exists():
        return False
    with _whole_file(path) as file:
        file.write(original.read_bytes())
    return True


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that appears at `path` when it is complete, or not at all; never in place of another.

    Raises FileExistsError if something has appeared there in the meantime.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        beside = Path(file.name)
        try:
            yield file
        except BaseException:
            file.close()
            beside.unlink()
            raise
    if path.exists():
        beside.unlink()
        raise FileExistsError(f"{path} appeared just now, and is left as it is.")
    beside.chmod(0o644)
    os.replace(beside, path)


def find_workspace(given: Path | None) -> Path:
    """The folder to work in: the one given, else this one if it holds course notebooks, else ./minitorch-course."""
    if given is not None:
        return given
    return Path() if any(Path(f"{name}.ipynb").exists() for name in released_names()) else FOLDER


def started(wanted: str, workspace: Path) -> Path:
    """The path of a notebook that has been started. Raises ValueError if it has not."""
    path = workspace / f"{meant(wanted)}.ipynb"
    if not path.exists():
        raise ValueError(
            f"{path} does not exist: begin with `minitorch course start {wanted}`, or name the folder with --workspace."
        )
    return path


@dataclass(frozen=True)
class Receipt:
    """What was handed in: the archive, by whom, the hash of the notebook in it, the time (UTC), when the notebook had
    been saved, and how many of its exercises are written."""

    path: Path
    student: str
    sha256: str
    submitted: str
    saved: datetime
    written: int
    exercises: int


def submit(wanted: str, workspace: Path, student: str | None = None) -> Receipt:
    """Make an archive of a notebook and a manifest. An earlier one stays: the new one gets a number.

    Raises ValueError for a notebook that has not been started, or cannot be read.
    """
    source = started(wanted, workspace)
    tasks = [task for task in exercises(source) if not task.released.stretch]
    content = source.read_bytes()
    manifest = {
        "notebook": source.stem,
        "student": student or _user(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "submitted": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": {
            "minitorch": version("minitorch-course"),
            "jax": version("jax"),
            "python": platform.python_version(),
        },
    }
    path = _unused(workspace / f"{source.stem}-submission.zip")
    with _whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(source.name, content)
        archive.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))
    saved = datetime.fromtimestamp(source.stat().st_mtime)
    about = manifest["student"], manifest["sha256"], manifest["submitted"]
    return Receipt(path, *about, saved, sum(task.written for task in tasks), len(tasks))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # No such user, as in some containers.
        return "student"


def _unused(path: Path) -> Path:
    """`name.zip`, or `name-2.zip` and so on, whichever is free."""
    number, free = 2, path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free
