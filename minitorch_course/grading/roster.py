"""A class list: who should have submitted, under which names they are known, and who has an extension."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .platform_names import read_name, same_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Columns that identify a student, as our own files, Canvas, Moodle and GitHub Classroom call them. The first that a
# row fills names the student in the grades, because exports are matched by it.
KEYS = ("login", "sis login id", "username", "id number", "email address", "email", "identifier", "student", "name")
OTHERS = ("id", "sis user id", "full name", "github_username", "github username")
DUE = ("due", "extension")
MAX_CHARACTERS = 10_000_000


@dataclass(frozen=True)
class Enrolled:
    """A student of the class. `names` are compared without case; `due` is an extension."""

    student: str
    names: frozenset[str]
    due: datetime | None = None


def read_roster(path: Path) -> list[Enrolled]:
    """Return the students of a CSV file with a header, such as a gradebook that Canvas or Moodle exported.

    Raises:
      ValueError: no column identifies students, two rows are of one student, or an extension is not a time.
      OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not written in UTF-8: save it as CSV in UTF-8.") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    header, *rows = [*csv.reader(io.StringIO(text, newline=""), delimiter=separator)] or [[]]
    columns = [same_name(column) for column in header]
    if not set(columns) & set(KEYS):
        raise ValueError(
            f"{path} has no column that identifies students: name one {', '.join(KEYS[:-1])} or {KEYS[-1]}."
        )
    found: dict[str, Enrolled] = {}
    for number, cells in enumerate(rows, 2):
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
        student = next((row[column] for column in KEYS if column in row), "")
        if not student or row.get("student") == "Points Possible":  # Canvas's second row.
            continue
        if student in found:
            raise ValueError(f"{path}, row {number}: {student} is there twice.")
        names = [row[column].removeprefix("Participant ") for column in (*KEYS, *OTHERS) if column in row]
        due = next((row[column] for column in DUE if column in row), "")
        found[student] = Enrolled(student, frozenset(map(_compared, names)), _time(due, path, number))
    return list(found.values())


def _time(text: str, path: Path, row: int) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except ValueError:
        raise ValueError(f"{path}, row {row}: {text!r} is not a time: write it as 2026-11-30T18:00+01:00.") from None


def _compared(name: str) -> str:
    """Return a name for comparison. Canvas writes `Doe, Jane` in tables and `doejane` in names of files."""
    return "".join(character for character in same_name(name) if character not in ", ")


@dataclass(frozen=True)
class Matched:
    """The entries of a class by student, in the roster's order, and remarks by student."""

    entries: dict[str, list[Path]]
    flags: Mapping[str, list[str]]


def match_roster(entries: Mapping[str, Sequence[Path]], roster: Sequence[Enrolled]) -> Matched:
    """Give entries the names of the roster, and an empty entry to who submitted nothing.

    An entry belongs to a student if one of its names is one of theirs, and none is another student's.
    """
    found: dict[str, list[Path]] = {enrolled.student: [] for enrolled in roster}
    flags: dict[str, list[str]] = {}
    for student, paths in entries.items():
        names = {student, *(name for path in paths for name in read_name(path.name, path.parent.name).names)}
        compared = {_compared(name) for name in names}
        matching = [enrolled.student for enrolled in roster if enrolled.names & compared]
        if len(matching) == 1:
            found[matching[0]] += paths
            continue
        name = student if student not in found else f"{student} (not in the roster)"
        found[name] = list(paths)
        flags[name] = [f"{len(matching)} students of the roster have this name" if matching else "not in the roster"]
    return Matched(found, flags)
