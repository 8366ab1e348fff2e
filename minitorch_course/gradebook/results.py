"""The results of a class, as `minitorch course grade` wrote them into `grades.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GRADES = "grades.json"
FORMAT = 1
STATUSES = ("passed", "wrong", "error", "timeout", "not run")
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
    """What a student's code did with a hidden test; `given` and `expected` tell shape and kind, never hidden values."""

    test: HiddenTest
    earned: float = 0
    status: str = "not run"
    message: str | None = None
    given: str | None = None
    expected: str | None = None
    error: str | None = None

    @property
    def hint(self) -> str | None:
        """The test's, for those who have tried: nobody gets hints for work that could not be run."""
        return None if self.status == "not run" else self.test.hint


@dataclass(frozen=True)
class Student:
    """One row of the class. `flags` are for the instructor; `own_flags` are those that name nobody else."""

    student: str
    status: str
    reason: str | None
    points: float
    submitted: str | None
    late: bool
    flags: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    exercises: Mapping[str, str] = field(repr=False)

    @property
    def own_flags(self) -> list[str]:
        return [flag for flag in self.flags if not flag.startswith("same answers as ")]

    def similar(self) -> Iterator[tuple[str, int]]:
        """The other students whose answers are nearly the same, and how nearly, in percent."""
        for flag in self.flags:
            if match := _SIMILAR.fullmatch(flag):
                yield match[1], int(match[2])


@dataclass(frozen=True)
class Results:
    """A graded class. `sandbox` is None where students' code ran without one."""

    notebook: str
    title: str
    seed: int
    points: float
    sandbox: str | None
    versions: Mapping[str, str]
    tests: tuple[HiddenTest, ...]
    students: tuple[Student, ...]

    def exercises(self) -> dict[str, float]:
        """The points of each exercise, in the notebook's order."""
        points: dict[str, float] = {}
        for test in self.tests:
            points[test.exercise] = points.get(test.exercise, 0) + test.points
        return points


def read_grades(path: Path) -> Any:
    """The content of the `grades.json` in the folder `path`, or of that file.

    Raises FileNotFoundError if there is none, ValueError if it is no JSON.
    """
    file = path / GRADES if path.is_dir() else path
    if not file.exists():
        raise FileNotFoundError(f"There are no grades at {file}: give the folder that `minitorch course grade` wrote.")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # Not JSON, or not UTF-8.
        raise ValueError(f"{file} cannot be read as {GRADES}: {error}.") from error


def parse_results(content: Any) -> Results:
    """The content of a `grades.json`; raises ValueError if it is not one."""
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
    )


def _outcome(test: HiddenTest, content: Mapping[str, Any]) -> Outcome:
    return Outcome(test, **{key: value for key, value in content.items() if key in _OUTCOME})


_OUTCOME = {name for name in Outcome.__dataclass_fields__ if name != "test"}
