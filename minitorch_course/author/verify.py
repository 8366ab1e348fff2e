"""All that can be proven about a notebook before it is taught with: one line for each problem."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from .build import Done, as_text
from .cells import Notebook, unsolved
from .jit_cache import environment
from .mutate import mutants, problems_of_mutant
from .runner_pool import Inspection, RunnerPool
from .source import read_source, reference, release
from .wrong_answers import WrongAnswer, problems_of_wrong_answer, read_wrong_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .layout import CourseLayout
    from .runner import Runner

SEEDS = (0, 1)  # The reference must earn all points whatever the inputs are.


def verify(layout: CourseLayout, name: str, jobs: int = 1, done: Done = lambda n, total: None) -> list[str]:
    """Return the problems of a notebook, its committed files, its hidden tests and its checks.

    `jobs` processes work in parallel. `done` is called with the number of finished inspections and of all.

    Raises:
      AuthoringError: the source cannot be built.
    """
    notebook = read_source(layout.source(name))
    answers = read_wrong_answers(notebook, layout.wrong_answers(name))
    found = [*differences(layout, notebook)]
    with RunnerPool(notebook, jobs) as pool:
        found += failures_of_reference(pool.runners[0])
        inspections = [] if found else [*_inspections(layout, notebook, answers)]
        for n, problems in enumerate(pool.map(inspections), 1):
            found += problems
            done(n, len(inspections))
    return found


def _inspections(layout: CourseLayout, notebook: Notebook, answers: Iterable[WrongAnswer]) -> Iterator[Inspection]:
    """Yield the longest first, which needs no runner but a process of its own."""
    yield lambda runner: changed_outputs(layout.reference(notebook.name))
    yield points_of_empty_notebook
    for answer in answers:
        yield partial(problems_of_wrong_answer, answer)
    for exercise in notebook.of("exercise"):
        for mutant in mutants(exercise):
            yield partial(problems_of_mutant, exercise, mutant)


def differences(layout: CourseLayout, notebook: Notebook) -> Iterator[str]:
    """Yield where the committed notebooks differ from what the source builds, except for outputs."""
    advice = f"run `minitorch course build {notebook.name}`"
    for path, built in (
        (layout.reference(notebook.name), reference(notebook)),
        (layout.released(notebook.name), release(notebook)),
    ):
        if not path.is_file():
            yield f"{path}: missing: {advice}."
        elif difference := _difference(json.loads(path.read_text(encoding="utf-8")), json.loads(as_text(built))):
            yield f"{path}: {difference} is not what the source builds: {advice}."


def _difference(committed: Any, built: Any) -> str | None:
    """Return what differs between two notebooks, outputs aside: a cell, their order, or the metadata."""
    theirs, ours = ({cell["id"]: _without_outputs(cell) for cell in nb["cells"]} for nb in (committed, built))
    for name in [*ours, *theirs]:
        if theirs.get(name) != ours.get(name):
            return f"the cell {name!r}"
    if list(theirs) != list(ours):
        return "the order of cells"
    rest = [{key: value for key, value in nb.items() if key != "cells"} for nb in (committed, built)]
    return None if rest[0] == rest[1] else "the metadata"


def _without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in cell.items() if key not in ("outputs", "execution_count")}


def points_of_empty_notebook(runner: Runner) -> list[str]:
    """Return a problem for each test that passes in an empty notebook, or where one exercise is left empty."""
    notebook, found = runner.notebook, []
    empty = {cell.name: unsolved(cell) for cell in notebook.of("exercise")}
    for names in [list(empty), *([name] for name in empty)]:
        tests = runner.grade({name: empty[name] for name in names}, changed=names[0] if names else None)
        for test in tests.values():
            if test.points and test.passed and test.exercise in names:
                found.append(f"{notebook.path}: the empty {test.exercise!r} earns the points of {test.name!r}.")
    return list(dict.fromkeys(found))


def failures_of_reference(runner: Runner) -> list[str]:
    """Return a problem for each hidden test and check that the reference itself does not pass."""
    path, found = runner.notebook.path, []
    for seed in SEEDS:
        for test in runner.grade(seed=seed).values():
            if not test.passed:
                found.append(f"{path}: the reference loses {test.name!r} under seed {seed}: {test.message}")
    for check in runner.check():
        if not check.passed:
            found.append(f"{path}: the reference fails the check {check.case!r}: {check.message}")
    return found


def changed_outputs(path: Path) -> list[str]:
    """Execute a committed notebook with nbval, and return a problem if outputs differ in their text."""
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-p", "no:randomly"]  # It would shuffle the cells.
    command += ["--override-ini=addopts=", str(path)]
    variables = {**environment(), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False, env=variables)
    if done.returncode == 0:
        return []
    return [f"{path}: nbval finds other outputs than the committed ones:\n{(done.stdout + done.stderr)[-3000:]}"]
