"""The locations of the two packages and of the course's files."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import minitorch

LIBRARY = Path(minitorch.__file__).resolve().parent
COURSE = Path(__file__).resolve().parent
PACKAGES = (LIBRARY, COURSE)


def package_of(name: str) -> Path | None:
    """Return which of the two packages a dotted name belongs to; None for another library."""
    return next((package for package in PACKAGES if package.name == name.partition(".")[0]), None)


def data_folder(name: str, clone: str) -> Path:
    """Return the folder `name` of the installed package, or `clone` at the root of the repository.

    A wheel carries the files inside the package. An editable installation reads them where they are written.
    """
    installed = COURSE / name
    return installed if installed.is_dir() else COURSE.parent / clone


def editable_copies() -> list[Path]:
    """Return the folder to which an editable installation copies notebooks and labs, if there is one."""
    folder = Path(sysconfig.get_path("purelib")).resolve() / COURSE.name
    return [folder] if folder.is_dir() and folder != COURSE else []
