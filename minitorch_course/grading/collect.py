"""The files that students handed in, as bytes: nothing is unpacked or parsed yet, and no link is followed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MIB = 2**20
LARGEST = 64 * MIB  # of all files of a student together
MOST_FILES = 1000
KINDS = (".ipynb", ".zip")
MANIFEST = "manifest.json"
IGNORED = ("__MACOSX", ".ipynb_checkpoints")


@dataclass(frozen=True)
class SubmissionFiles:
    """What a student handed in: notebooks, archives and manifest by their path. `reason` says why there is nothing."""

    student: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None

    @property
    def digest(self) -> str:
        """What changes when another thing is handed in."""
        parts = [str(self.reason), *(f"{name}:{hashlib.sha256(data).hexdigest()}" for name, data in self.files.items())]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class InvalidSubmission(Exception):
    """Why a submission cannot be graded, in words for its author."""


def find_submissions(folder: Path) -> dict[str, list[Path]]:
    """The entries of a folder by student, in order: `<student>.zip`, `<student>.ipynb` or `<student>/`.

    Raises ValueError if there is none, OSError if the folder cannot be read.
    """
    if not folder.is_dir():
        raise ValueError(
            f"{folder} is no folder: give the one in which there is a <student>.zip, .ipynb or folder each."
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        is_folder = path.is_dir() and not path.is_symlink()
        known = is_folder or path.suffix.lower() in KINDS or path.is_symlink()
        if known and not path.name.startswith(".") and path.name not in IGNORED:
            name = path.stem if path.suffix.lower() in KINDS and not is_folder else path.name
            found.setdefault(printable(name), []).append(path)
    if not found:
        raise ValueError(f"{folder} holds no submission: put a <student>.zip, .ipynb or folder of each student there.")
    return found


def collect(student: str, paths: list[Path]) -> SubmissionFiles:
    """The files of one student, at most `LARGEST` bytes of them."""
    try:
        if len(paths) > 1:
            raise InvalidSubmission(
                f"There are {len(paths)} submissions, {', '.join(path.name for path in paths)}: keep one."
            )
        return SubmissionFiles(student, dict(_contents(paths[0])))
    except InvalidSubmission as refused:
        return SubmissionFiles(student, reason=printable(str(refused)))
    except OSError as error:
        return SubmissionFiles(student, reason=f"It cannot be read: {error.strerror or type(error).__name__}.")


def printable(text: str) -> str:
    """Text that can be written in UTF-8: names of files need not be."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _contents(entry: Path) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    for path in _files(entry):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise InvalidSubmission(f"{path.name} is a link or no file: hand in the file itself.")
        with path.open("rb") as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise InvalidSubmission(
                f"It is larger than {LARGEST // MIB} MB: clear the outputs, save, and hand it in again."
            )
        yield printable(path.name if path == entry else path.relative_to(entry).as_posix()), content


def _files(entry: Path) -> Iterator[Path]:
    if entry.is_symlink() or not entry.is_dir():
        yield entry
        return
    seen = 0
    for folder, folders, names in os.walk(entry):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        seen += len(names) + len(folders)
        if seen > MOST_FILES:
            raise InvalidSubmission(f"The folder holds more than {MOST_FILES} files.")
        yield from (Path(folder, n) for n in sorted(names) if n == MANIFEST or Path(n).suffix.lower() in KINDS)
