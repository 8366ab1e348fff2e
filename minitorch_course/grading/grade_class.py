"""Grade a class: store each result at once, and write `grades.json`, pages and tables from all of them."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write

from ..author.cells import Notebook, solved, unsolved
from ..author.source import read_source
from ..author.verdict import AnswerKey
from ..gradebook.export import export
from ..gradebook.feedback import write_pages
from ..gradebook.html import FEEDBACK
from ..gradebook.results import AS_REFERENCE, FORMAT, GRADES
from ..gradebook.sanitize import file_name
from .collect import SubmissionFiles, collect, find_submissions
from .grade_submission import GradedSubmission
from .grading_env import GradingConfig, GradingEnv
from .late import LateRule, in_words
from .platform_names import read_name
from .result_store import TIMING, ResultStore
from .roster import Enrolled, Matched, match_roster
from .sandbox import Limits, why_unavailable
from .similarity import Class, fingerprint
from .submission import NO_MANIFEST, guess_notebook
from .workers import grade_all

if TYPE_CHECKING:
    from pathlib import Path

    from ..author.layout import CourseLayout

ReadFiles = Callable[[], SubmissionFiles]  # reads the files of one student
FindKey = Callable[[], AnswerKey]  # executes the reference, which takes a while
Engine = Callable[[Sequence[ReadFiles], GradingEnv, FindKey], Iterator[GradedSubmission]]
Done = Callable[[int, int], None]  # called with the number of graded students and of all students


@dataclass(frozen=True)
class GradingOptions:
    """How to grade. A random seed is used if `seed` is None; a submission after `due`, a time with a zone, is late.

    `roster` is the class list, if there is one, with its extensions; `late` says what late work loses.
    """

    seed: int | None = None
    due: datetime | None = None
    resume: bool = False
    sandboxed: bool = True
    limits: Limits = field(default_factory=Limits)
    roster: Sequence[Enrolled] = ()
    late: LateRule | None = None


def local_engine(jobs: int) -> Engine:
    """Return the engine that grades on this machine with `jobs` workers."""
    return lambda readers, env, find_key: grade_all(readers, env.config.notebook, find_key, env.kernel_config(), jobs)


def grade_class(
    submissions: Path, out: Path, layout: CourseLayout, name: str, options: GradingOptions, engine: Engine, done: Done
) -> dict[str, Any]:
    """Grade all submissions for a notebook; write `out`/grades.json, pages and tables.

    Returns:
      The content of `grades.json`.

    Raises:
      ValueError: there is no sandbox, no submission, another grading's results in `out`, or a reference that does not
        earn all points.
      OSError: a file cannot be read or written.
    """
    if options.sandboxed and (why := why_unavailable()):
        raise ValueError(
            f"Students' code runs in a sandbox only, and there is none: {why}. Grade on Linux with bubblewrap; or, if"
            " you trust all students, with --no-sandbox, which the grades will record."
        )
    notebook, entries = read_source(layout.source(name)), find_submissions(submissions)
    matched = match_roster(entries, options.roster) if options.roster else Matched(entries, {})
    entries = matched.entries
    store = ResultStore(out, notebook, options.seed, options.sandboxed, options.resume, options.due)
    readers = [partial(collect, *entry) for entry in entries.items()]
    waiting = [read for read in readers if not (options.resume and store.is_current(read()))]
    config = GradingConfig(notebook, store.input_seed, options.limits, options.sandboxed)
    if waiting:
        with GradingEnv(config, hidden=[submissions, out, layout.notebooks]) as env:
            for graded in engine(waiting, env, partial(_key, env)):
                store.save(graded)
                done(sum(map(store.has, entries)), len(entries))
        store.end_round()
    return _publish(store, config, matched, options)


def _key(env: GradingEnv) -> AnswerKey:
    key = env.key()
    env.dry_run(key)
    return key


def _publish(store: ResultStore, config: GradingConfig, matched: Matched, options: GradingOptions) -> dict[str, Any]:
    """Write what depends on all results. The same results give the same bytes, except in `timing.json`."""
    students = list(matched.entries)
    graded = [store.load(student) for student in students]
    grades: dict[str, Any] = _grades(config, graded) | {"seed": store.seed}
    extensions = {enrolled.student: enrolled.due for enrolled in options.roster if enrolled.due}
    for row in grades["students"]:
        student = row["student"]
        said = any(read_name(path.name).late for path in matched.entries[student]) and student not in extensions
        row |= _lateness(row, extensions.get(student, store.due), said, options.late)
        row["flags"] = [*matched.flags.get(student, ()), *row["flags"]]
    atomic_write(store.out / GRADES, json.dumps(grades, ensure_ascii=False, indent=1) + "\n")
    seconds = {g.row["student"]: {"seconds": g.seconds, "in_cells": g.cell_seconds} for g in graded}
    atomic_write(store.out / TIMING, json.dumps(seconds, ensure_ascii=False, indent=1) + "\n")
    write_pages(grades, store.out)
    _remove_pages_of_others(store.out / FEEDBACK, students)
    export(grades, "csv", store.out / "grades.csv")
    export(grades, "junit", store.out / "junit.xml")
    return grades


def _remove_pages_of_others(folder: Path, students: Sequence[str]) -> None:
    """Remove the pages of students whose submission is gone; their results stay, so that nothing is graded twice."""
    current = {f"{file_name(student)}.html" for student in students}
    for path in folder.glob("*.html"):
        if path.name not in current:
            path.unlink(missing_ok=True)


def _grades(config: GradingConfig, graded: Sequence[GradedSubmission]) -> dict[str, Any]:
    """Return the content of `grades.json`, in which nobody is late yet."""
    notebook = config.notebook
    tests = [
        {"name": cell.name, "exercise": cell.exercise, "points": cell.points, "hint": cell.options.get("hint")}
        for cell in notebook.of("hidden-test")
    ]
    similar, without = _similar(notebook, graded), sum(NO_MANIFEST in g.row["flags"] for g in graded)
    said_once = {NO_MANIFEST} if without > len(graded) / 2 else set()
    return {
        "format": FORMAT,
        "notebook": notebook.name,
        "title": notebook.title,
        "seed": config.seed,
        "points": notebook.points,
        "sandbox": "bubblewrap" if config.sandboxed else None,
        "versions": {
            "minitorch": version("minitorch-course"),
            "jax": version("jax"),
            "python": platform.python_version(),
        },
        "notes": [f"{without} of {len(graded)} submissions: {note}" for note in said_once],
        "tests": tests,
        "students": [
            g.row
            | {
                "flags": similar[g.row["student"]] + [flag for flag in g.row["flags"] if flag not in said_once],
            }
            for g in graded
        ],
    }


def _similar(notebook: Notebook, graded: Sequence[GradedSubmission]) -> dict[str, list[str]]:
    """Return a flag for each similar submission, and for one that is the reference's, by student."""
    released = [unsolved(cell) if cell.kind == "exercise" else solved(cell.source) for cell in notebook.cells]
    reference = [solved(cell.source) for cell in notebook.of("exercise")]
    found = Class({g.row["student"]: g.fingerprint for g in graded}, fingerprint(released), fingerprint(reference))
    flags = {
        student: [f"same answers as {other} ({percent} %)" for other, percent in others]
        for student, others in found.similar().items()
    }
    for student, percent in found.like_reference().items():
        flags[student].append(f"{AS_REFERENCE} ({percent} %)")
    return flags


def _lateness(row: Mapping[str, Any], due: datetime | None, said: bool, rule: LateRule | None) -> dict[str, Any]:
    """Return what of a row changes because of its time: whether it is late, and what it loses by the rule.

    Where only the platform says that it is late, by its name, nothing says how late.
    """
    submitted = datetime.fromisoformat(row["submitted"]) if row["submitted"] else None
    late_by = submitted - due if submitted and due else timedelta()
    if late_by <= timedelta():
        flags = (
            ["late, as the platform says, but it is not known how late, so no points were taken"]
            if said and rule
            else []
        )
        return {"late": said, "flags": [*flags, *row["flags"]]}
    part = rule.part(late_by) if rule else 1.0
    if part == 1 or row["status"] != "graded":
        return {"late": True}
    points = round(part * row["points"], 2)
    flag = f"{in_words(late_by)} late: {row['points']:g} points become {points:g}"
    return {"late": True, "points": points, "flags": [flag, *row["flags"]]}


def most_common_notebook(submissions: Path, known: Sequence[str]) -> str:
    """Return the notebook that most students submitted.

    Raises:
      ValueError: no submission names one.
    """
    guesses = (guess_notebook(collect(*entry), known) for entry in find_submissions(submissions).items())
    counts = Counter(name for name in guesses if name)
    if not counts:
        raise ValueError(f"It is not clear which notebook {submissions} holds: name it, as in --notebook 02.")
    return counts.most_common(1)[0][0]
