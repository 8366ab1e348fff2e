"""The results of a class, read from the `grades.json` that `minitorch course grade` wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GRADES = "grades.json"
FORMAT = 1
AS_REFERENCE = "as the public reference"
_SIMILAR = re.compile(r"same answers as (.*) \((\d+) ?%\)", re.DOTALL)


@dataclass(frozen=True)
class HiddenTest:
    """One hidden test of an exercise."""

    name: str
    exercise: str
    points: float
    hint: str | None


@dataclass(frozen=True)
class Outcome:
    """The result of a hidden test. `given` and `expected` are shape and kind of the values, never hidden numbers."""

    test: HiddenTest
    earned: float = 0
    status: str = "not run"
    message: str | None = None
    given: str | None = None
    expected: str | None = None
    error: str | None = None

    @property
    def hint(self) -> str | None:
        """The test's hint. A submission that could not be run gets no hints."""
        return None if self.status == "not run" else self.test.hint


@dataclass(frozen=True)
class Student:
    """One student's row. `flags` are for the instructor, `own_flags` for the student, too."""

    student: str
    status: str
    reason: str | None
    points: float
    submitted: str | None
    late: bool
    flags: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    exercises: Mapping[str, str] = field(repr=False)
    added: tuple[str, ...] = field(default=(), repr=False)

    @property
    def own_flags(self) -> list[str]:
        """The flags that neither name other students nor are a reason to talk first."""
        return [flag for flag in self.other_flags if not flag.startswith(AS_REFERENCE)]

    @property
    def other_flags(self) -> list[str]:
        """The flags that do not name other students."""
        return [flag for flag in self.flags if not flag.startswith("same answers as ")]

    def similar(self) -> Iterator[tuple[str, int]]:
        """Yield the students whose answers are nearly the same, and their similarity in percent."""
        for flag in self.flags:
            if match := _SIMILAR.fullmatch(flag):
                yield match[1], int(match[2])

    def by_exercise(self) -> list[tuple[str, list[Outcome]]]:
        """Return the outcomes of each exercise, in the notebook's order."""
        groups = groupby(self.outcomes, lambda outcome: outcome.test.exercise)
        return [(name, list(outcomes)) for name, outcomes in groups]


@dataclass(frozen=True)
class Results:
    """A graded class. `sandbox` is None if students' code ran without one; `notes` are remarks on the whole class."""

    notebook: str
    title: str
    seed: int
    points: float
    sandbox: str | None
    versions: Mapping[str, str]
    tests: tuple[HiddenTest, ...]
    students: tuple[Student, ...]
    notes: tuple[str, ...] = ()

    def exercises(self) -> dict[str, float]:
        """Return the points of each exercise, in the notebook's order."""
        points: dict[str, float] = {}
        for test in self.tests:
            points[test.exercise] = points.get(test.exercise, 0) + test.points
        return points


def read_grades(path: Path) -> Any:
    """Return the content of the file `path`, or of the `grades.json` in the folder `path`.

    Raises:
      FileNotFoundError: the file does not exist.
      ValueError: it is not JSON.
    """
    file = path / GRADES if path.is_dir() else path
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist: give the folder that `minitorch course grade` wrote.")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # Not JSON, or not UTF-8.
        raise ValueError(f"{file} cannot be read as {GRADES}: {error}.") from error


def parse_results(content: Any) -> Results:
    """Parse the content of a `grades.json`.

    Raises:
      ValueError: it has another format, or is damaged.
    """
    found = content.get("format") if isinstance(content, Mapping) else None
    if found != FORMAT:
        raise ValueError(f"This is not a {GRADES} of format {FORMAT} (its format is {found!r}): grade the class again.")
    try:
        return _results(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This {GRADES} is damaged or incomplete ({error!r}): grade the class again.") from error


def _results(content: Mapping[str, Any]) -> Results:
    tests = tuple(
        HiddenTest(test["name"], test["exercise"], test["points"], test.get("hint")) for test in content["tests"]
    )
    return Results(
        content["notebook"],
        content["title"],
        content["seed"],
        content["points"],
        content["sandbox"],
        dict(content["versions"]),
        tests,
        tuple(_student(student, tests) for student in content["students"]),
        tuple(map(str, content.get("notes", ()))),
    )


def _student(content: Mapping[str, Any], tests: tuple[HiddenTest, ...]) -> Student:
    by_name = {outcome["name"]: outcome for outcome in content["tests"]}
    return Student(
        str(content["student"]),
        content["status"],
        content["reason"],
        content["points"],
        content["submitted"],
        bool(content["late"]),
        tuple(map(str, content["flags"])),
        tuple(_outcome(test, by_name.get(test.name, {})) for test in tests),
        dict(content["exercises"]),
        tuple(map(str, content.get("added", ()))),
    )


def _outcome(test: HiddenTest, content: Mapping[str, Any]) -> Outcome:
    return Outcome(test, **{key: value for key, value in content.items() if key in _OUTCOME})


_OUTCOME = {name for name in Outcome.__dataclass_fields__ if name != "test"}
