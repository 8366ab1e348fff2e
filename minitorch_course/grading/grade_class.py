"""A class graded: each result kept as soon as it is there, and in the end `grades.json` and all that is made of it."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from minitorch._files import atomic_write

from ..author.cells import Notebook, solved, unsolved
from ..author.layout import CourseLayout
from ..author.source import read_source
from ..report.export import export
from ..report.feedback import write_pages
from ..report.results import FORMAT, GRADES
from .collect import SubmissionFiles, collect, find_submissions
from .grade_submission import GradedSubmission
from .grading_env import GradingConfig, GradingEnv
from .nbval_plugin import Key
from .result_store import TIMING, Record
from .sandbox import Limits, why_unavailable
from .similarity import alike, fingerprint
from .submission import guess
from .workers import grade_all

Hand = Callable[[], SubmissionFiles]  # asks for what a student handed in
FindKey = Callable[[], Key]  # executes the reference, which takes a while
Engine = Callable[[Sequence[Hand], GradingEnv, FindKey], Iterator[GradedSubmission]]
Done = Callable[[int, int], None]  # is told how many students of how many are done


@dataclass(frozen=True)
class Options:
    """How to grade. `seed` None draws one; what is submitted after `due`, a time with its zone, is late."""

    seed: int | None = None
    due: datetime | None = None
    resume: bool = False
    sandboxed: bool = True
    limits: Limits = field(default_factory=Limits)


def processes(jobs: int) -> Engine:
    """Grade on this machine, with so many workers."""
    return lambda hands, workshop, find: grade_all(hands, workshop.plan.notebook, find, workshop.setting(), jobs)


def grade(
    submissions: Path, out: Path, places: CourseLayout, name: str, options: Options, engine: Engine, done: Done
) -> dict[str, Any]:
    """Grade all submissions for a notebook; write `out`/grades.json, pages and tables.

    Returns the content of `grades.json`. Raises ValueError where grading cannot begin (no sandbox, no submission,
    another grading's results in `out`, a reference that does not earn everything), OSError for files.
    """
    if options.sandboxed and (why := why_unavailable()):
        raise ValueError(
            f"Students' code runs in a sandbox only, and there is none: {why}. Grade on Linux with bubblewrap; or, if"
            " you trust whoever handed in, with --no-sandbox, and the grades will say so."
        )
    notebook, entries = read_source(places.source(name)), find_submissions(submissions)
    record = Record(out, notebook, options.seed, options.sandboxed, options.resume, options.due)
    hands = [partial(collect, *entry) for entry in entries.items()]
    waiting = [hand for hand in hands if not (options.resume and record.has(hand()))]
    plan = GradingConfig(notebook, record.seed, options.limits, options.sandboxed)
    if waiting:
        with GradingEnv(plan, hidden=[submissions, out, places.notebooks]) as workshop:
            for marked in engine(waiting, workshop, partial(_key, workshop)):
                record.keep(marked)
                done(sum(map(record.finished, entries)), len(entries))
    return _publish(record, plan, list(entries))


def _key(workshop: GradingEnv) -> Key:
    key = workshop.key()
    workshop.rehearse(key)
    return key


def _publish(record: Record, plan: GradingConfig, students: Sequence[str]) -> dict[str, Any]:
    """Write what is made of all results together. The same results make the same bytes, but for `timing.json`."""
    marked = [record.of(student) for student in students]
    grades = _grades(plan, marked, record.due)
    atomic_write(record.out / GRADES, json.dumps(grades, ensure_ascii=False, indent=1) + "\n")
    seconds = {m.row["student"]: {"seconds": m.seconds, "in_cells": m.cell_seconds} for m in marked}
    atomic_write(record.out / TIMING, json.dumps(seconds, ensure_ascii=False, indent=1) + "\n")
    write_pages(grades, record.out)
    export(grades, "csv", record.out / "grades.csv")
    export(grades, "junit", record.out / "junit.xml")
    return grades


def _grades(plan: GradingConfig, marked: Sequence[GradedSubmission], due: datetime | None) -> dict[str, Any]:
    """The content of `grades.json`."""
    notebook = plan.notebook
    probes = [
        {"name": cell.name, "exercise": cell.exercise, "points": cell.points, "hint": cell.options.get("hint")}
        for cell in notebook.of("hidden-test")
    ]
    others = _alike(notebook, marked)
    return {
        "format": FORMAT,
        "notebook": notebook.name,
        "title": notebook.title,
        "seed": plan.seed,
        "points": notebook.points,
        "sandbox": "bubblewrap" if plan.sandboxed else None,
        "versions": {
            "minitorch": version("minitorch-course"),
            "jax": version("jax"),
            "python": platform.python_version(),
        },
        "probes": probes,
        "students": [
            m.row | {"late": _is_late(m.row["submitted"], due), "flags": others[m.row["student"]] + m.row["flags"]}
            for m in marked
        ],
    }


def _alike(notebook: Notebook, marked: Sequence[GradedSubmission]) -> dict[str, list[str]]:
    """The flags of those whose work is nearly the same."""
    given = [text for cell in notebook.of("exercise") for text in (solved(cell.source), unsolved(cell))]
    found = alike({m.row["student"]: m.fingerprint for m in marked}, set(fingerprint(given)))
    return {
        student: [f"same answers as {other} ({percent} %)" for other, percent in others]
        for student, others in found.items()
    }


def _is_late(submitted: str | None, due: datetime | None) -> bool:
    return bool(submitted and due and datetime.fromisoformat(submitted) > due)


def notebook_of(submissions: Path, known: Sequence[str]) -> str:
    """The notebook that most have handed in. Raises ValueError if no submission tells."""
    guesses = (guess(collect(*entry), known) for entry in find_submissions(submissions).items())
    counts = Counter(name for name in guesses if name)
    if not counts:
        raise ValueError(f"Which notebook {submissions} holds cannot be told: name it, as in --notebook 02.")
    return counts.most_common(1)[0][0]
