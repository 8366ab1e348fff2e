"""A student's folder: start a notebook in it, and make the archive to submit."""

from __future__ import annotations

import getpass
import hashlib
import io
import json
import platform
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from minitorch._files import atomic_write

from .homework import exercises, find_name, released_names, released_path

HANDOUT = Path(__file__).parents[1] / "handout"
FOLDER = Path("minitorch-course")


def start(wanted: str, workspace: Path) -> tuple[Path, bool]:
    """Copy a notebook of the course (`02` or `02_autodiff`) to the folder, and never overwrite a file.

    Returns:
      The path, and whether the notebook is new there.

    Raises:
      ValueError: the notebook does not exist.
    """
    name = find_name(wanted)
    workspace.mkdir(parents=True, exist_ok=True)
    for page in sorted(HANDOUT.glob("*.md")):
        _copy_if_absent(page, workspace / page.name)
    path = workspace / f"{name}.ipynb"
    return path, _copy_if_absent(released_path(name), path)


def _copy_if_absent(original: Path, path: Path) -> bool:
    if path.exists():
        return False
    atomic_write(path, original.read_bytes())
    return True


def find_workspace(given: Path | None) -> Path:
    """Return `given`, or this folder if it holds notebooks of the course, or ./minitorch-course."""
    if given is not None:
        return given
    return Path() if any(Path(f"{name}.ipynb").exists() for name in released_names()) else FOLDER


def started_path(wanted: str, workspace: Path) -> Path:
    """Return the path of a started notebook.

    Raises:
      ValueError: the notebook was not started.
    """
    path = workspace / f"{find_name(wanted)}.ipynb"
    if not path.exists():
        raise ValueError(
            f"{path} does not exist: begin with `minitorch course start {wanted}`, or name the folder with --workspace."
        )
    return path


@dataclass(frozen=True)
class Receipt:
    """The receipt of a submission.

    Attributes:
      path: the archive.
      student: who submits.
      sha256: the hash of the notebook in the archive.
      submitted: the time of submission, in UTC.
      saved: when the notebook was saved.
      written: how many exercises are written.
      exercises: how many exercises there are.
    """

    path: Path
    student: str
    sha256: str
    submitted: str
    saved: datetime
    written: int
    exercises: int


def submit(wanted: str, workspace: Path, student: str | None = None) -> Receipt:
    """Make an archive of a notebook and a manifest. Earlier archives stay: a new one gets a number.

    Raises:
      ValueError: the notebook was not started, or cannot be read.
    """
    source = started_path(wanted, workspace)
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
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(source.name, content)
        archive.writestr("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False))
    path = _unused(workspace / f"{source.stem}-submission.zip")
    atomic_write(path, packed.getvalue())
    saved = datetime.fromtimestamp(source.stat().st_mtime)
    about = manifest["student"], manifest["sha256"], manifest["submitted"]
    return Receipt(path, *about, saved, sum(task.written for task in tasks), len(tasks))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # No such user, as in some containers.
        return "student"


def _unused(path: Path) -> Path:
    """Return `name.zip`, or the first of `name-2.zip`, `name-3.zip`, ... that does not exist."""
    number, free = 2, path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free
