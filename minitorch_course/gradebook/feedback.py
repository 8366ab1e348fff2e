"""The feedback page of each student: one HTML file that needs neither network nor script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write

from .html import FEEDBACK, OVERVIEW, render
from .overview import overview_page
from .results import Outcome, Results, Student, parse_results
from .sanitize import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write_pages(results: Mapping[str, Any], out: Path) -> Path:
    """Write `out`/feedback/<student>.html for every student, and `out`/overview.html for the instructor only.

    Args:
      results: the content of a `grades.json`. The same content gives the same bytes.
      out: a folder, which is created if it does not exist.

    Returns:
      The path of the overview.

    Raises:
      ValueError: `results` is not the content of a `grades.json`.
      OSError: the folder cannot be written.
    """
    parsed = parse_results(results)
    (out / FEEDBACK).mkdir(parents=True, exist_ok=True)
    for student in parsed.students:
        atomic_write(out / FEEDBACK / f"{file_name(student.student)}.html", feedback_page(parsed, student))
    atomic_write(out / OVERVIEW, overview_page(parsed))
    return out / OVERVIEW


@dataclass(frozen=True)
class _Exercise:
    name: str
    outcomes: Sequence[Outcome]

    @property
    def earned(self) -> float:
        return sum(outcome.earned for outcome in self.outcomes)

    @property
    def points(self) -> float:
        return sum(outcome.test.points for outcome in self.outcomes)


def feedback_page(results: Results, student: Student) -> str:
    """Return the page of one student. It says nothing about other students, and no hidden value.

    If the submission was not graded, the page says why, and nothing else.
    """
    graded = student.by_exercise() if student.status == "graded" else []
    return render(
        "feedback.html",
        results=results,
        student=student,
        exercises=[_Exercise(name, outcomes) for name, outcomes in graded],
        without_points=[name for name in student.exercises if name not in results.exercises()],
    )
