"""The files of submissions, as bytes: nothing is unpacked or parsed yet, and no link is followed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .._ipynb import MIB, printable
from .platform_names import read_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES = 64 * MIB  # of all files of a student together
MAX_FILES = 1000
SUFFIXES = (".ipynb", ".zip")
OTHER_SUFFIXES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".xz", ".pdf", ".html", ".htm", ".py", ".txt", ".md", ".json",
                  ".docx", ".part", ".crdownload", ".tmp")  # fmt: skip
MANIFEST = "manifest.json"
IGNORED = ("__MACOSX", ".ipynb_checkpoints")
_ESCAPE = re.compile(r"\\x[0-9a-f]{2}")


@dataclass(frozen=True)
class SubmissionFiles:
    """The files of one student by their path: notebooks, archives, manifest. `reason` says why there are none.

    `flags` are remarks for the instructor about files that are not read.
    """

    student: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A hash that changes when the files change."""
        parts = [
            str(self.reason),
            *self.flags,
            *(f"{name}:{hashlib.sha256(data).hexdigest()}" for name, data in self.files.items()),
        ]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class InvalidSubmissionError(ValueError):
    """A submission cannot be graded. The message is for its author."""


def find_submissions(folder: Path) -> dict[str, list[Path]]:
    """Return the entries of a folder by student, in order: `<student>.zip`, `<student>.ipynb` or `<student>/`.

    Names that a platform gave are read as `platform_names` says.
    Files of other kinds are listed, too, so that nobody who handed one in is missing.

    Raises:
      ValueError: there is none.
      OSError: the folder cannot be read.
    """
    if not folder.is_dir():
        raise ValueError(
            f"{folder} is not a folder: give the one with a <student>.zip, .ipynb or folder for each student."
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and path.name not in IGNORED:
            found.setdefault(_student(path), []).append(path)
    if not any(_may_be_read(path) for paths in found.values() for path in paths):
        raise ValueError(f"{folder} holds no submission: put a <student>.zip, .ipynb or folder of each student there.")
    return found


def _student(path: Path) -> str:
    named = read_name(path.name, path.parent.name)
    is_folder = path.is_dir() and not path.is_symlink()
    return distinct(named.student if named.platform or is_folder else _without_suffixes(path))


def distinct(name: str) -> str:
    r"""Return the name of a file as text that can be written, with bytes that are not UTF-8 as in `\xff`.

    Different names stay different: a backslash is doubled in a name that has such a byte, or looks as if.
    """
    raw = os.fsencode(name) if os.name != "nt" else name.encode("utf-8", "surrogatepass")
    if raw.decode("utf-8", "backslashreplace") != name or _ESCAPE.search(name):
        raw = raw.replace(b"\\", b"\\\\")
    return raw.decode("utf-8", "backslashreplace")


def _without_suffixes(path: Path) -> str:
    """Return the name of a file without what file managers, browsers and packers append: `ana.ipynb.txt` is ana's."""
    while path.suffix.lower() in (*SUFFIXES, *OTHER_SUFFIXES):
        path = path.with_suffix("")
    return path.name


def _may_be_read(path: Path) -> bool:
    return path.is_symlink() or path.is_dir() or path.suffix.lower() in SUFFIXES


def collect(student: str, paths: list[Path]) -> SubmissionFiles:
    """Return the files of one student, at most `MAX_BYTES` together."""
    read, others = [p for p in paths if _may_be_read(p)], [p.name for p in paths if not _may_be_read(p)]
    if not paths:
        return SubmissionFiles(student, reason="Nothing was submitted.")
    try:
        if not read:
            raise InvalidSubmissionError(
                f"{', '.join(others)} is neither a notebook (.ipynb) nor an archive (.zip): hand in one of those."
            )
        if len(read) > 1 and not all(read_name(path.name).platform for path in read):
            raise InvalidSubmissionError(
                f"There are {len(read)} submissions, {', '.join(path.name for path in read)}: keep one."
            )
        return SubmissionFiles(
            student, dict(_contents(read)), flags=tuple(f"{distinct(name)} was not read" for name in others)
        )
    except InvalidSubmissionError as error:
        return SubmissionFiles(student, reason=printable(str(error)))
    except OSError as error:
        return SubmissionFiles(student, reason=f"It cannot be read: {error.strerror or type(error).__name__}.")


def _contents(entries: list[Path]) -> Iterator[tuple[str, bytes]]:
    left, used = MAX_BYTES, set()
    for entry, path in [(each, path) for each in entries for path in _files(each)]:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise InvalidSubmissionError(f"{path.name} is a link or not a file: hand in the file itself.")
        with path.open("rb") as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise InvalidSubmissionError(
                f"It is larger than {MAX_BYTES // MIB} MB: clear the outputs, save, and hand it in again."
            )
        name = path.relative_to(entry).as_posix() if path != entry else read_name(path.name).file or path.name
        name = distinct(path.name if name in used else name)
        used.add(name)
        yield name, content


def _files(entry: Path) -> Iterator[Path]:
    if entry.is_symlink() or not entry.is_dir():
        yield entry
        return
    seen = 0
    for folder, folders, names in os.walk(entry):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        seen += len(names) + len(folders)
        if seen > MAX_FILES:
            raise InvalidSubmissionError(f"The folder holds more than {MAX_FILES} files.")
        yield from (Path(folder, n) for n in sorted(names) if n == MANIFEST or Path(n).suffix.lower() in SUFFIXES)
