"""Wrong answers: one typical mistake each, the hidden tests that it must lose, the message that it must get."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lint import AuthoringError
from .source import read_cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .cells import Cell, Notebook
    from .runner import Runner
    from .session import CheckResult, TestResult

MIN_PER_EXERCISE = 4


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong exercise cell. `says` is part of the message that it gets, `loses` names the hidden tests it loses."""

    exercise: str
    says: str
    loses: tuple[str, ...]
    source: str
    path: Path
    line: int


def read_wrong_answers(notebook: Notebook, path: Path) -> list[WrongAnswer]:
    """Return the wrong answers of a notebook.

    Raises:
      AuthoringError: there are too few, or they are malformed.
    """
    if not path.is_file():
        raise AuthoringError([f"{path}:1: missing: every exercise needs {MIN_PER_EXERCISE} wrong answers there."])
    cells = [cell for cell in read_cells(path) if cell.kind != "markdown"]
    problems = [f"{path}:{cell.line}: {what}" for cell in cells for what in _malformed(cell, notebook)]
    counts = Counter(cell.options.get("exercise") for cell in cells)
    for exercise in notebook.of("exercise"):
        if not exercise.stretch and (n := counts[exercise.name]) < MIN_PER_EXERCISE:
            problems.append(f"{path}:1: {exercise.name!r} has {n} wrong answers; it needs {MIN_PER_EXERCISE}.")
    if problems:
        raise AuthoringError(problems)
    return [_wrong_answer(cell, path) for cell in cells]


def _wrong_answer(cell: Cell, path: Path) -> WrongAnswer:
    options = cell.options
    return WrongAnswer(options["exercise"], options["says"], tuple(options["loses"]), cell.source, path, cell.line)


def _malformed(cell: Cell, notebook: Notebook) -> Iterator[str]:
    wanted = {"exercise": str, "says": str, "loses": list}
    if {option: type(value) for option, value in cell.options.items()} != wanted:
        yield 'a wrong answer begins `# %% exercise="softmax" says="over axis 0" loses=["softmax-test"]`.'
        return
    if cell.exercise not in [c.name for c in notebook.of("exercise")]:
        yield f"the notebook has no exercise {cell.exercise!r}."
    for test in cell.options["loses"]:
        if test not in [c.name for c in notebook.of("hidden-test")]:
            yield f"the notebook has no hidden test {test!r}."
    if not cell.options["says"] or not cell.options["loses"]:
        yield "a wrong answer must say something and lose something."
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        yield f"not Python: {error.msg}."


def problems_of_wrong_answer(answer: WrongAnswer, runner: Runner) -> list[str]:
    """Return one line for each way in which the notebook reacts wrongly to a wrong answer."""
    code = {answer.exercise: answer.source}
    checks = runner.check(code, answer.exercise)
    tests = runner.grade(code, changed=answer.exercise)
    found = [*_wrong_message(answer, checks), *_wrong_losses(answer, tests)]
    return [f"{answer.path}:{answer.line}: {answer.exercise} ({answer.says!r}): {what}" for what in found]


def _wrong_message(answer: WrongAnswer, checks: list[CheckResult]) -> Iterator[str]:
    messages = [check.message for check in checks if not check.passed]
    if not any(answer.says in message for message in messages):
        yield f"no check says so; they say {messages}." if messages else "all checks pass."


def _wrong_losses(answer: WrongAnswer, tests: dict[str, TestResult]) -> Iterator[str]:
    lost = {name: test for name, test in tests.items() if not test.passed}
    if kept := [name for name in answer.loses if name not in lost]:
        yield f"it should lose {', '.join(kept)}, and passes."
    for name in lost.keys() - set(answer.loses):
        yield f"it should not lose {name}, and does: {lost[name].message}"
    messages = [test.message for test in lost.values() if test.exercise == answer.exercise]
    if messages and not any(answer.says in message for message in messages):
        yield f"no lost test says so; they say {messages}."
