"""Where the two packages and the course's files are."""

from __future__ import annotations

from pathlib import Path

import minitorch

LIBRARY = Path(minitorch.__file__).resolve().parent
COURSE = Path(__file__).resolve().parent
PACKAGES = (LIBRARY, COURSE)


def data_folder(name: str, clone: str) -> Path:
    """The folder `name` inside the installed package, or `clone` at the root of the repository.

    A wheel carries the files inside the package; an editable installation reads them where they are written.
    """
    installed = COURSE / name
    return installed if installed.is_dir() else COURSE.parent / clone
