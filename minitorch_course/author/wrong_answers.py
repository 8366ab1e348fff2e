"""WrongAnswer wrong answers: one typical mistake each, the probes that it must lose, and the message that it must get."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .cells import Cell, Notebook
from .lint import AuthoringError
from .runner import Runner
from .session import CheckResult, TestResult
from .source import read_cells

AT_LEAST = 4  # for each exercise


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong exercise cell. `says` is part of the message that it gets, `loses` names the probes that it loses."""

    exercise: str
    says: str
    loses: tuple[str, ...]
    source: str
    path: Path
    line: int


def read_wrong_answers(notebook: Notebook, path: Path) -> list[WrongAnswer]:
    """The planted wrong answers of a notebook. Raises AuthoringError where they are malformed or too few."""
    if not path.is_file():
        raise AuthoringError([f"{path}:1: missing: every exercise needs {AT_LEAST} planted wrong answers there."])
    cells = [cell for cell in read_cells(path) if cell.kind != "markdown"]
    problems = [f"{path}:{cell.line}: {what}" for cell in cells for what in _faults(cell, notebook)]
    counts = Counter(cell.options.get("exercise") for cell in cells)
    for exercise in notebook.of("exercise"):
        if not exercise.stretch and counts[exercise.name] < AT_LEAST:
            n = counts[exercise.name]
            problems.append(f"{path}:1: {exercise.name!r} has {n} planted wrong answers; it needs {AT_LEAST}.")
    if problems:
        raise AuthoringError(problems)
    return [_planted(cell, path) for cell in cells]


def _planted(cell: Cell, path: Path) -> WrongAnswer:
    options = cell.options
    return WrongAnswer(options["exercise"], options["says"], tuple(options["loses"]), cell.source, path, cell.line)


def _faults(cell: Cell, notebook: Notebook) -> Iterator[str]:
    wanted = {"exercise": str, "says": str, "loses": list}
    if {option: type(value) for option, value in cell.options.items()} != wanted:
        yield 'a wrong answer begins `# %% exercise="softmax" says="over axis 0" loses=["softmax-test"]`.'
        return
    if cell.exercise not in [c.name for c in notebook.of("exercise")]:
        yield f"the notebook has no exercise {cell.exercise!r}."
    for probe in cell.options["loses"]:
        if probe not in [c.name for c in notebook.of("hidden-test")]:
            yield f"the notebook has no probe {probe!r}."
    if not cell.options["says"] or not cell.options["loses"]:
        yield "a wrong answer must say something and lose something."
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f"not Python: {error.msg}."


def problems_of_wrong_answer(planted: WrongAnswer, runner: Runner) -> list[str]:
    """What the notebook does with a wrong answer that it should not: a line each, with file and line number."""
    code = {planted.exercise: planted.source}
    found = [*_unsaid(planted, runner.check(code, planted.exercise)), *_unlost(planted, runner.grade(code))]
    return [f"{planted.path}:{planted.line}: {planted.exercise} ({planted.says!r}): {what}" for what in found]


def _unsaid(planted: WrongAnswer, checked: list[CheckResult]) -> Iterator[str]:
    said = [check.message for check in checked if not check.passed]
    if not any(planted.says in message for message in said):
        yield f"no check says so; they say {said}." if said else "all checks pass."


def _unlost(planted: WrongAnswer, probed: dict[str, TestResult]) -> Iterator[str]:
    lost = {name: probe for name, probe in probed.items() if not probe.passed}
    if kept := [name for name in planted.loses if name not in lost]:
        yield f"it should lose {', '.join(kept)}, and passes."
    for name in lost.keys() - set(planted.loses):
        yield f"it should not lose {name}, and does: {lost[name].message}"
    said = [probe.message for probe in lost.values() if probe.exercise == planted.exercise]
    if said and not any(planted.says in message for message in said):
        yield f"no lost probe says so; they say {said}."
