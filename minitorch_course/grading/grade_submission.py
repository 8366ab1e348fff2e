"""One submission graded: from a student's files to a row of `grades.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..author.verdict import AnswerKey, Verdict, after_exercise
from .inspect_code import inspect_code
from .merge import MergedNotebook, merge
from .nbval_runner import run_cells
from .similarity import fingerprint
from .submission import Submission, parse_submission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..author.cells import Cell, Notebook
    from .collect import SubmissionFiles
    from .kernel_pool import KernelPool
    from .nbval_plugin import CellResult


@dataclass(frozen=True)
class GradedSubmission:
    """The result of one student. `row` goes into `grades.json`; the rest is for the class and for timing.

    One that is not `settled` failed through no fault of its own, and is graded again with `--resume`.
    """

    row: dict[str, Any]
    fingerprint: list[str]
    cell_seconds: float
    digest: str
    seconds: float = 0.0
    settled: bool = True


def grade_submission(
    files: SubmissionFiles, notebook: Notebook, key: AnswerKey, kernels: KernelPool
) -> GradedSubmission:
    """Grade the files of one student.

    Raises:
      RuntimeError: no kernel starts, which is not the student's fault.
    """
    submission = parse_submission(files, notebook.name)
    if submission.reason:
        return failed(files, notebook, submission.reason)
    merged = merge(notebook, submission.cells)
    if not merged.exercises:
        return failed(files, notebook, f"No exercise of {notebook.name} is in it: is it another notebook?")
    inspection = inspect_code(notebook, merged)
    results = {result.name: result for result in run_cells(inspection.cells, kernels, key)}
    tests = [
        _test_row(cell, _verdict(cell, results), inspection.costs.get(cell.exercise or ""))
        for cell in notebook.of("hidden-test")
    ]
    flags = [*submission.flags, *inspection.flags, *_missing(notebook, merged)]
    row = _row(submission, "graded", None, tests, flags, merged)
    seconds = sum(result.seconds for result in results.values())
    written = [cell.source for cell in merged.cells if cell.kind in ("exercise", "added")]
    return GradedSubmission(row, fingerprint(written), seconds, files.digest)


def failed(files: SubmissionFiles, notebook: Notebook, reason: str) -> GradedSubmission:
    """Return a result without points, for this reason."""
    tests = [_test_row(cell, Verdict("not run"), None) for cell in notebook.of("hidden-test")]
    row = _row(Submission(files.student), "failed", reason, tests, [], MergedNotebook((), {}))
    return GradedSubmission(row, [], 0.0, files.digest)


def _row(
    submission: Submission,
    status: str,
    reason: str | None,
    tests: Sequence[Mapping[str, Any]],
    flags: Sequence[str],
    merged: MergedNotebook,
) -> dict[str, Any]:
    return {
        "student": submission.student,
        "status": status,
        "reason": reason,
        "points": sum(test["earned"] for test in tests),
        "submitted": submission.submitted,
        "late": False,
        "flags": list(flags),
        "tests": list(tests),
        "exercises": dict(merged.exercises),
        "added": [cell.source for cell in merged.cells if cell.kind == "added"],
    }


def _verdict(cell: Cell, results: Mapping[str, CellResult]) -> Verdict:
    exercise = results.get(cell.exercise or "")
    return after_exercise(results[cell.name].verdict, cell.exercise, exercise.stop if exercise else None)


def _test_row(cell: Cell, verdict: Verdict, cost: str | None) -> dict[str, Any]:
    row = {name: getattr(verdict, name) for name in ("status", "message", "given", "expected", "error")}
    if cost and verdict.passed:
        row |= {"status": "wrong", "message": cost}
    return {"name": cell.name, "earned": cell.points if row["status"] == "passed" else 0, **row}


def _missing(notebook: Notebook, merged: MergedNotebook) -> list[str]:
    """Return a remark for each exercise that is not there and not optional."""
    exercises = (cell for cell in notebook.of("exercise") if not cell.stretch)
    return [f"the cell of {cell.name} is missing" for cell in exercises if cell.name not in merged.exercises]
