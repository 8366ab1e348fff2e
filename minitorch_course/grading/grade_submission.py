"""One student's submission graded: from the files that were handed in to a row of `grades.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..author.cells import Cell, Notebook
from ..author.forbidden import forbidden_calls
from .collect import SubmissionFiles
from .merge import Merged, merge
from .nbval_plugin import Key, Result
from .nbval_runner import KernelPool, run
from .similarity import fingerprint
from .submission import Submission, read


@dataclass(frozen=True)
class GradedSubmission:
    """What came of one student. `row` goes into `grades.json`; the rest is for the class and for timing.

    One that is not `settled` failed through no fault of its own, and is graded again when grading is resumed.
    """

    row: dict[str, Any]
    fingerprint: list[str]
    cell_seconds: float
    digest: str
    seconds: float = 0.0
    settled: bool = True


def mark(handed: SubmissionFiles, notebook: Notebook, key: Key, kernels: KernelPool) -> GradedSubmission:
    """Grade what one student handed in. Raises RuntimeError if no kernel starts, which is no fault of the student's."""
    submission = read(handed, notebook.name)
    if submission.reason:
        return failed(handed, notebook, submission.reason)
    merged = merge(notebook, submission.cells)
    if not merged.exercises:
        return failed(handed, notebook, f"No exercise of {notebook.name} is in it: is it another notebook?")
    banned = {name: _banned(notebook, notebook.exercise(name), code) for name, code in merged.exercises.items()}
    results = {result.name: result for result in run(merged.tasks, kernels, key)}
    probes = [
        _probe(cell, _told(cell, results), banned.get(cell.exercise or "")) for cell in notebook.of("hidden-test")
    ]
    row = _row(submission, "graded", None, probes, _flags(notebook, submission, merged, banned), merged.exercises)
    seconds = sum(result.seconds for result in results.values())
    return GradedSubmission(row, fingerprint(merged.exercises.values()), seconds, handed.digest)


def failed(handed: SubmissionFiles, notebook: Notebook, reason: str) -> GradedSubmission:
    """A row without points, and the reason."""
    probes = [_probe(cell, Result(cell.name), None) for cell in notebook.of("hidden-test")]
    return GradedSubmission(_row(Submission(handed.student), "failed", reason, probes, [], {}), [], 0.0, handed.digest)


def _row(
    submission: Submission,
    status: str,
    reason: str | None,
    probes: Sequence[Mapping[str, Any]],
    flags: Sequence[str],
    exercises: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "student": submission.student,
        "status": status,
        "reason": reason,
        "points": sum(probe["earned"] for probe in probes),
        "submitted": submission.submitted,
        "late": False,
        "flags": list(flags),
        "probes": list(probes),
        "exercises": dict(exercises),
    }


def _told(cell: Cell, results: Mapping[str, Result]) -> Result:
    """What came of a probe. Where its exercise's cell had stopped, that is why, and comes first."""
    result, exercise = results[cell.name], results.get(cell.exercise or "")
    if exercise is None or exercise.error is None or result.status != "error":
        return result
    before = f"The cell of {cell.exercise} stopped, so not all is there that it defines. {exercise.error}"
    return replace(result, error=f"{before}\n{result.error}")


def _probe(cell: Cell, result: Result, banned: list[tuple[int, str]] | None) -> dict[str, Any]:
    told = {name: getattr(result, name) for name in ("status", "message", "given", "expected", "error")}
    if banned and result.status == "passed":
        line, name = banned[0]
        told |= {"status": "wrong", "message": f"{cell.exercise} may not use {name}, as it does on line {line}."}
    return {"name": cell.name, "earned": cell.points if told["status"] == "passed" else 0, **told}


def _banned(notebook: Notebook, exercise: Cell, code: str) -> list[tuple[int, str]]:
    """Lines of a student's code that use what its exercise forbids."""
    return forbidden_calls(python_of(code), exercise.forbids, [cell.source for cell in notebook.of("setup")])


def python_of(code: str) -> str:
    """A cell without its magics and shell commands, so that the rest can be parsed."""
    return re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", code)


def _flags(
    notebook: Notebook, submission: Submission, merged: Merged, banned: Mapping[str, list[tuple[int, str]]]
) -> list[str]:
    flags = list(submission.flags)
    for exercise, found in banned.items():
        flags += [f"{exercise} calls {name} (line {line})" for line, name in found]
    for name in sorted(
        {name for task in merged.tasks if task.kind == "added" for name in _used(notebook, task.source)}
    ):
        flags.append(f"an added cell calls {name}")
    for cell in notebook.of("exercise"):
        if cell.name not in merged.exercises and not cell.stretch:
            flags.append(f"the cell of {cell.name} is missing")
    return flags


def _used(notebook: Notebook, code: str) -> set[str]:
    context = [cell.source for cell in notebook.of("setup")]
    return {name for _, name in forbidden_calls(python_of(code), notebook.forbids, context)}
