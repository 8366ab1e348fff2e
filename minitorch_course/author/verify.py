"""Is a notebook fit to be taught with? Everything that can be proven about it, each fault as a line of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .build import Done, as_text
from .cells import Notebook, unsolved
from .jit_cache import environment
from .layout import CourseLayout
from .mutate import mutants, problems_of_mutant
from .runner import Runner
from .runner_pool import RunnerPool, Task
from .source import read_source, reference, release
from .wrong_answers import WrongAnswer, problems_of_wrong_answer, read_wrong_answers

SEEDS = (0, 1)  # The reference must agree with itself whatever is drawn.


def verify(places: CourseLayout, name: str, jobs: int = 1, done: Done = lambda n, total: None) -> list[str]:
    """What is wrong with a notebook, its committed files, its probes and its checks; nothing if all is well.

    `jobs` processes look at once; `done` is told how far they are. Raises AuthoringError where nothing can be built.
    """
    notebook = read_source(places.source(name))
    planted = read_wrong_answers(notebook, places.wrong(name))
    found = [*differences(places, notebook)]
    with RunnerPool(notebook, jobs) as crew:
        found += failures_of_reference(crew.runners[0])
        tasks = [] if found else [*_tasks(places, notebook, planted)]
        for n, faults in enumerate(crew.each(tasks), 1):
            found += faults
            done(n, len(tasks))
    return found


def _tasks(places: CourseLayout, notebook: Notebook, planted: Iterable[WrongAnswer]) -> Iterator[Task]:
    """The longest first, which is none for the runner but a process of its own."""
    yield lambda runner: changed_outputs(places.reference(notebook.name))
    yield points_of_empty_notebook
    for answer in planted:
        yield partial(problems_of_wrong_answer, answer)
    for exercise in notebook.of("exercise"):
        for mutant in mutants(exercise):
            yield partial(problems_of_mutant, exercise, mutant)


def differences(places: CourseLayout, notebook: Notebook) -> Iterator[str]:
    """Where the committed notebooks are not what the source makes, but for outputs."""
    advice = f"run `minitorch course build {notebook.name}`"
    for path, made in (
        (places.reference(notebook.name), reference(notebook)),
        (places.released(notebook.name), release(notebook)),
    ):
        if not path.is_file():
            yield f"{path}: missing: {advice}."
        elif difference := _difference(json.loads(path.read_text(encoding="utf-8")), json.loads(as_text(made))):
            yield f"{path}: {difference} is not what the source makes: {advice}."


def _difference(committed: Any, made: Any) -> str | None:
    """What differs between two notebooks, outputs aside: a cell, or everything else."""
    theirs, ours = ({cell["id"]: _without_outputs(cell) for cell in nb["cells"]} for nb in (committed, made))
    for name in [*ours, *theirs]:
        if theirs.get(name) != ours.get(name):
            return f"the cell {name!r}"
    if list(theirs) != list(ours):
        return "the order of cells"
    rest = [{key: value for key, value in nb.items() if key != "cells"} for nb in (committed, made)]
    return None if rest[0] == rest[1] else "the metadata"


def _without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in cell.items() if key not in ("outputs", "execution_count")}


def points_of_empty_notebook(runner: Runner) -> list[str]:
    """Points of an empty notebook, and of each exercise left empty alone."""
    notebook, found = runner.notebook, []
    empty = {cell.name: unsolved(cell) for cell in notebook.of("exercise")}
    for names in [list(empty), *([name] for name in empty)]:
        for probed in runner.grade({name: empty[name] for name in names}).values():
            if probed.points and probed.passed and probed.exercise in names:
                found.append(f"{notebook.path}: the empty {probed.exercise!r} earns the probe {probed.name!r}.")
    return list(dict.fromkeys(found))


def failures_of_reference(runner: Runner) -> list[str]:
    """Probes and checks that the reference itself does not pass."""
    path, found = runner.notebook.path, []
    for seed in SEEDS:
        for probed in runner.grade(seed=seed).values():
            if not probed.passed:
                found.append(f"{path}: the reference loses {probed.name!r} under seed {seed}: {probed.message}")
    for checked in runner.check():
        if not checked.passed:
            found.append(f"{path}: the reference fails the check {checked.case!r}: {checked.message}")
    return found


def changed_outputs(path: Path) -> list[str]:
    """What nbval finds when it executes a committed notebook: outputs that differ in their text."""
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--override-ini=addopts=", str(path)]
    variables = {**environment(), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False, env=variables)
    if done.returncode == 0:
        return []
    return [f"{path}: nbval finds other outputs than the committed ones:\n{(done.stdout + done.stderr)[-3000:]}"]
