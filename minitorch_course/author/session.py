"""A notebook run in this process, without Jupyter, and its hidden tests judged.

For trusted code: the reference, the wrong answers, the mutants. Students' code is graded in a sandbox.
"""

from __future__ import annotations

import codeop
import contextlib
import io
import linecache
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..notebook.check import CHECKED
from ..notebook.display import listen
from ..notebook.errors import explain
from ..notebook.hidden_test import REPORTED
from .cells import Cell, Notebook, solved
from .hidden_test_code import code_for_key, code_for_submission
from .verdict import AnswerKey, Stop, Value, after_exercise, stopped_by, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FLAGS = codeop.Compile().flags  # IPython's flags, so that syntax errors have the same words
Bundle = dict[str, Any]  # One output in several forms: MIME type -> content.


@dataclass(frozen=True)
class TestResult:
    """The outcome of a hidden test. `status` is that of its `Verdict`; `message` says why the points are lost."""

    __test__ = False  # for pytest, which collects classes called Test*

    name: str
    exercise: str
    points: int
    status: str = "passed"
    message: str = ""

    @property
    def passed(self) -> bool:
        return self.status == "passed"


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one case of a visible check."""

    exercise: str
    case: str
    passed: bool
    message: str


@dataclass(frozen=True)
class Outcome:
    """The outputs of a cell, and the exception that ended it, if one did."""

    bundles: list[Bundle]
    error: BaseException | None = None

    @property
    def values(self) -> list[Value]:
        return [bundle[REPORTED] for bundle in self.bundles if REPORTED in bundle]

    @property
    def stop(self) -> Stop | None:
        if self.error is None:
            return None
        explained = explain(self.error).paragraph if isinstance(self.error, Exception) else None
        return stopped_by(type(self.error).__name__, explained)


class Session:
    """Runs a notebook any number of times, each time in a fresh namespace, with other code in some exercise cells."""

    def __init__(self, notebook: Notebook):
        self.notebook = notebook
        self._keys: dict[int, AnswerKey] = {}

    def grade(self, replaced: Mapping[str, str], seed: int = 0, changed: str | None = None) -> Iterator[TestResult]:
        """Judge the hidden tests in the order of the notebook.

        Args:
          replaced: code by the name of its exercise, which stands in for the reference's.
          seed: what the inputs of the tests are drawn from.
          changed: judge the tests from this exercise on; those before it do not depend on it.

        Raises:
          ValueError: the reference itself fails.
        """
        key = self.key(seed)
        begun = changed is None
        stops: dict[str, Stop | None] = {}
        with _environment("values", seed):
            for cell, run in self._cells(replaced, code_for_submission, "setup", "exercise", "hidden-test"):
                begun = begun or cell.name == changed
                if cell.kind == "exercise":
                    stops[cell.name] = run().stop
                elif cell.kind == "setup" or (not begun and "def " in cell.source):  # Used by later tests.
                    run()
                elif begun:
                    outcome = run()
                    judged = verdict(outcome.values, key[cell.name], outcome.stop)
                    judged = after_exercise(judged, cell.exercise, stops[cell.exercise or ""])
                    yield TestResult(cell.name, cell.exercise or "", cell.points, judged.status, judged.reason)

    def key(self, seed: int = 0) -> AnswerKey:
        """Return the values that the reference reports in each hidden test.

        Raises:
          ValueError: a cell of the reference fails.
        """
        if seed not in self._keys:
            with _environment("key", seed):
                cells = self._cells({}, code_for_key, "setup", "exercise", "hidden-test")
                outcomes = {cell.name: self._of_reference(cell, run()) for cell, run in cells}
                self._keys[seed] = {name: outcome.values for name, outcome in outcomes.items()}
        return self._keys[seed]

    def check(self, replaced: Mapping[str, str], exercise: str | None = None) -> Iterator[CheckResult]:
        """Run the visible checks of an exercise, or all, with the code `replaced` in its exercise cells."""
        with _environment(None, 0):
            for cell, run in self._cells(replaced, code_for_key, "setup", "exercise", "check"):
                if cell.kind != "check":
                    run()
                elif exercise in (None, cell.exercise):
                    yield from self._checked(cell, run())

    def _cells(
        self, replaced: Mapping[str, str], test_code: Callable[[Cell], str], *kinds: str
    ) -> Iterator[tuple[Cell, Callable[[], Outcome]]]:
        """Yield each cell with the function that runs it in the one namespace of this pass."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in self.notebook.of(*kinds):
            is_test = cell.kind == "hidden-test"
            source = test_code(cell) if is_test else replaced.get(cell.name, solved(cell.source))
            yield cell, lambda cell=cell, source=source: run_cell(cell, source, namespace)

    def _of_reference(self, cell: Cell, outcome: Outcome) -> Outcome:
        if error := outcome.error:
            raise ValueError(f"{self._place(cell)}: the cell {cell.name!r} fails: {type(error).__name__}: {error}")
        if cell.kind == "hidden-test" and not outcome.values:
            raise ValueError(f"{self._place(cell)}: the hidden test {cell.name!r} reports nothing.")
        return outcome

    def _checked(self, cell: Cell, outcome: Outcome) -> Iterator[CheckResult]:
        for bundle in outcome.bundles:
            if CHECKED in bundle:
                content = bundle[CHECKED]
                yield CheckResult(cell.exercise or "", content["case"], content["passed"], content["message"])
        if error := outcome.error:
            raise ValueError(f"{self._place(cell)}: the check {cell.name!r} fails: {type(error).__name__}: {error}")

    def _place(self, cell: Cell) -> str:
        return f"{self.notebook.path}:{cell.line}"


def run_cell(cell: Cell, source: str, namespace: dict[str, Any]) -> Outcome:
    """Run a cell, and return what it displayed and how it ended."""
    bundles: list[Bundle] = []
    file = f"<{cell.name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # Explained errors quote lines.
    with _quiet(), listen(bundles.append):
        try:
            exec(compile(source, file, "exec", FLAGS, dont_inherit=True), namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return Outcome(bundles, error)
    return Outcome(bundles)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discard what cells print, and their warnings."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _environment(mode: str | None, seed: int) -> Iterator[None]:
    """Set the seed of the inputs, and whether hidden tests send values or also what the key needs."""
    wanted = {"MINITORCH_SEED": str(seed), "MINITORCH_REPORT": mode}
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set(wanted)
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
