"""One submission graded: from a student's files to a row of `grades.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._ipynb import as_python
from ..author.forbidden import forbidden_calls
from ..author.verdict import AnswerKey, Verdict, after_exercise
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
    forbidden = {name: _forbidden(notebook, notebook.exercise(name), code) for name, code in merged.exercises.items()}
    results = {result.name: result for result in run_cells(merged.cells, kernels, key)}
    tests = [
        _test_row(cell, _verdict(cell, results), forbidden.get(cell.exercise or ""))
        for cell in notebook.of("hidden-test")
    ]
    row = _row(submission, "graded", None, tests, _flags(notebook, submission, merged, forbidden), merged.exercises)
    seconds = sum(result.seconds for result in results.values())
    return GradedSubmission(row, fingerprint(merged.exercises.values()), seconds, files.digest)


def failed(files: SubmissionFiles, notebook: Notebook, reason: str) -> GradedSubmission:
    """Return a result without points, for this reason."""
    tests = [_test_row(cell, Verdict("not run"), None) for cell in notebook.of("hidden-test")]
    return GradedSubmission(_row(Submission(files.student), "failed", reason, tests, [], {}), [], 0.0, files.digest)


def _row(
    submission: Submission,
    status: str,
    reason: str | None,
    tests: Sequence[Mapping[str, Any]],
    flags: Sequence[str],
    exercises: Mapping[str, str],
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
        "exercises": dict(exercises),
    }


def _verdict(cell: Cell, results: Mapping[str, CellResult]) -> Verdict:
    exercise = results.get(cell.exercise or "")
    return after_exercise(results[cell.name].verdict, cell.exercise, exercise.stop if exercise else None)


def _test_row(cell: Cell, verdict: Verdict, forbidden: list[tuple[int, str]] | None) -> dict[str, Any]:
    row = {name: getattr(verdict, name) for name in ("status", "message", "given", "expected", "error")}
    if forbidden and verdict.passed:
        line, name = forbidden[0]
        row |= {"status": "wrong", "message": f"{cell.exercise} may not use {name}, as it does on line {line}."}
    return {"name": cell.name, "earned": cell.points if row["status"] == "passed" else 0, **row}


def _forbidden(notebook: Notebook, exercise: Cell, code: str) -> list[tuple[int, str]]:
    """Return the lines of a student's code that use what its exercise forbids."""
    return forbidden_calls(as_python(code), exercise.forbids, [cell.source for cell in notebook.of("setup")])


def _flags(
    notebook: Notebook, submission: Submission, merged: MergedNotebook, forbidden: Mapping[str, list[tuple[int, str]]]
) -> list[str]:
    """Return remarks for the instructor: forbidden calls and missing exercises."""
    flags = list(submission.flags)
    for exercise, found in forbidden.items():
        flags += [f"{exercise} calls {name} (line {line})" for line, name in found]
    added = [cell.source for cell in merged.cells if cell.kind == "added"]
    for name in sorted({name for source in added for name in _forbidden_in_added(notebook, source)}):
        flags.append(f"an added cell calls {name}")
    for cell in notebook.of("exercise"):
        if cell.name not in merged.exercises and not cell.stretch:
            flags.append(f"the cell of {cell.name} is missing")
    return flags


def _forbidden_in_added(notebook: Notebook, code: str) -> set[str]:
    context = [cell.source for cell in notebook.of("setup")]
    return {name for _, name in forbidden_calls(as_python(code), notebook.forbids, context)}
