"""Names that Canvas, Moodle, GitHub Classroom and Google Classroom give to the files and folders that they pack.

Every platform has its own pattern, and a name that fits none is the student's. A name without a number that is unique
on its platform is ambiguous, so the number stays a part of the student's name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class PlatformName:
    """A file or folder as a platform names it.

    Attributes:
      student: the student, as a name that is unique in the class.
      names: the parts that a roster may know the student by: a number, a login, a full name.
      platform: the platform, or "".
      file: the name that the file had before, or "".
      late: whether the platform says that it is late.
    """

    student: str
    names: tuple[str, ...] = ()
    platform: str = ""
    file: str = ""
    late: bool = False


# Canvas, `doejane_LATE_1234_56789_file.ipynb`: the name to sort by, the user, the attachment. See
# https://github.com/instructure/canvas-lms/blob/master/app/models/content_zipper.rb
_CANVAS = re.compile(r"(?P<name>[^\s]+?)_(?P<late>LATE_)?(?P<user>\d+)_\d+_(?P<file>.+)", re.DOTALL)
# Moodle, `Jane Doe_1234_assignsubmission_file_`, a folder or the start of a file's name: the full name and the
# participant. See https://github.com/moodle/moodle/blob/main/public/mod/assign/locallib.php
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<user>\d+)_assignsubmission_[a-z]+(_(?P<file>.*))?", re.DOTALL)
# Google Classroom puts the student's name in front of the name of the file that it copied for them.
_GOOGLE = re.compile(r"(?P<name>\S.*?) - (?P<file>\S.*\.(ipynb|zip))", re.DOTALL | re.IGNORECASE)


def read_name(entry: str, folder: str = "") -> PlatformName:
    """Return what the name of an entry says about its student.

    Args:
      entry: the name of a file or folder, with its extension.
      folder: the name of the folder that holds it. GitHub Classroom names it `<assignment>-submissions`, and the
        repositories in it `<assignment>-<login>`.
    """
    if found := _MOODLE.fullmatch(entry):
        name, user = found["name"], found["user"]
        return PlatformName(f"{name}_{user}", (user, name), "Moodle", found["file"] or "")
    if found := _CANVAS.fullmatch(entry):
        name, user = found["name"], found["user"]
        return PlatformName(f"{name}_{user}", (user, name), "Canvas", found["file"], late=bool(found["late"]))
    assignment = folder.removesuffix("-submissions")
    if assignment not in ("", folder) and entry.startswith(f"{assignment}-") and len(entry) > len(assignment) + 1:
        login = entry[len(assignment) + 1 :]
        return PlatformName(login, (login,), "GitHub Classroom")
    if found := _GOOGLE.fullmatch(entry):
        return PlatformName(found["name"], (found["name"],), "Google Classroom", found["file"])
    return PlatformName(entry)


def same_name(name: str) -> str:
    """Return a name as it is compared: without case, accents' encoding and extra spaces."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
