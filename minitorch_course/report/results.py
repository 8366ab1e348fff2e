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
class Probe:
    """One hidden test of an exercise."""

    name: str
    exercise: str
    points: float
    hint: str | None


@dataclass(frozen=True)
class Outcome:
    """What a student's code did with a probe; `given` and `expected` tell shape and kind, never hidden values."""

    probe: Probe
    earned: float = 0
    status: str = "not run"
    message: str | None = None
    given: str | None = None
    expected: str | None = None
    error: str | None = None

    @property
    def hint(self) -> str | None:
        """The probe's, for those who have tried: nobody gets hints for work that could not be run."""
        return None if self.status == "not run" else self.probe.hint


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
    probes: tuple[Probe, ...]
    students: tuple[Student, ...]

    def exercises(self) -> dict[str, float]:
        """The points of each exercise, in the notebook's order."""
        points: dict[str, float] = {}
        for probe in self.probes:
            points[probe.exercise] = points.get(probe.exercise, 0) + probe.points
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
    probes = tuple(
        Probe(probe["name"], probe["exercise"], probe["points"], probe.get("hint")) for probe in content["probes"]
    )
    return Results(
        content["notebook"],
        content["title"],
        content["seed"],
        content["points"],
        content["sandbox"],
        dict(content["versions"]),
        probes,
        tuple(_student(student, probes) for student in content["students"]),
    )


def _student(content: Mapping[str, Any], probes: tuple[Probe, ...]) -> Student:
    by_name = {outcome["name"]: outcome for outcome in content["probes"]}
    return Student(
        str(content["student"]),
        content["status"],
        content["reason"],
        content["points"],
        content["submitted"],
        bool(content["late"]),
        tuple(map(str, content["flags"])),
        tuple(_outcome(probe, by_name.get(probe.name, {})) for probe in probes),
        dict(content["exercises"]),
    )


def _outcome(probe: Probe, content: Mapping[str, Any]) -> Outcome:
    return Outcome(probe, **{key: value for key, value in content.items() if key in _OUTCOME})


_OUTCOME = {name for name in Outcome.__dataclass_fields__ if name != "probe"}
