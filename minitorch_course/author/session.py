"""The cells of a notebook run in this process, without Jupyter, and its probes judged.

For code that one trusts: the reference, planted wrong answers, mutants. Students are graded in a sandbox instead.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..notebook.check import CHECKED
from ..notebook.display import listen
from ..notebook.errors import explain
from ..notebook.hidden_test import SHOWN, draw, judge
from .cells import Cell, Notebook, solved

Bundle = dict[str, Any]
Outcome = tuple[list[Bundle], BaseException | None]


@dataclass(frozen=True)
class TestResult:
    """What came of a probe. `status` is passed, wrong, error, timeout or not run; `message` says why it was lost."""

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
    """What came of a visible check."""

    exercise: str
    case: str
    passed: bool
    message: str


class Session:
    """Runs a notebook as often as asked, each time in a fresh namespace, with other code in place of some cells."""

    def __init__(self, notebook: Notebook):
        self.notebook = notebook
        self._keys: dict[int, dict[str, list[Bundle]]] = {}

    def grade(self, replaced: Mapping[str, str], seed: int = 0, changed: str | None = None) -> Iterator[TestResult]:
        """Judge the probes in the order of the notebook, with the code `replaced` in its exercise cells.

        With `changed`, only those from that exercise on; the others do not depend on it. Raises ValueError where the
        reference itself fails.
        """
        key = self.key(seed)
        begun = changed is None
        with _environment("values", seed):
            for cell, run in self._cells(replaced, "setup", "exercise", "hidden-test"):
                begun = begun or cell.name == changed
                if cell.kind != "hidden-test":
                    run()
                elif begun:
                    yield _judged(cell, run(), key[cell.name])

    def key(self, seed: int = 0) -> dict[str, list[Bundle]]:
        """What each probe shows in the reference. Raises ValueError where a cell of the reference fails."""
        if seed not in self._keys:
            with _environment("key", seed):
                cells = self._cells({}, "setup", "exercise", "hidden-test")
                self._keys[seed] = {cell.name: self._shown(cell, *run()) for cell, run in cells}
        return self._keys[seed]

    def check(self, replaced: Mapping[str, str], exercise: str | None = None) -> Iterator[CheckResult]:
        """Run the visible checks of an exercise, or all, with the code `replaced` in its exercise cells."""
        with _environment(None, 0):
            for cell, run in self._cells(replaced, "setup", "exercise", "check"):
                if cell.kind != "check":
                    run()
                elif exercise in (None, cell.exercise):
                    yield from self._checked(cell, *run())

    def _cells(self, replaced: Mapping[str, str], *kinds: str) -> Iterator[tuple[Cell, Any]]:
        """Each cell, with the function that runs it in the one namespace of this pass."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in self.notebook.of(*kinds):
            source = replaced.get(cell.name, solved(cell.source) if cell.kind == "exercise" else cell.source)
            yield cell, lambda cell=cell, source=source: run_cell(cell, source, namespace)

    def _shown(self, cell: Cell, bundles: list[Bundle], error: BaseException | None) -> list[Bundle]:
        shown = [bundle[SHOWN] for bundle in bundles if SHOWN in bundle]
        if error:
            raise ValueError(f"{self._place(cell)}: the cell {cell.name!r} fails: {type(error).__name__}: {error}")
        if cell.kind == "hidden-test" and not shown:
            raise ValueError(f"{self._place(cell)}: the probe {cell.name!r} shows nothing.")
        return shown

    def _checked(self, cell: Cell, bundles: list[Bundle], error: BaseException | None) -> Iterator[CheckResult]:
        for bundle in bundles:
            if CHECKED in bundle:
                content = bundle[CHECKED]
                yield CheckResult(cell.exercise or "", content["case"], content["passed"], content["message"])
        if error:
            raise ValueError(f"{self._place(cell)}: the check {cell.name!r} fails: {type(error).__name__}: {error}")

    def _place(self, cell: Cell) -> str:
        return f"{self.notebook.path}:{cell.line}"


def run_cell(cell: Cell, source: str, namespace: dict[str, Any]) -> Outcome:
    """What a cell published, and the exception that ended it, if one did."""
    bundles: list[Bundle] = []
    file = f"<{cell.name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # Explained errors quote lines.
    with _quiet(), listen(bundles.append):
        if cell.kind == "hidden-test":
            draw.begin(cell.name)
        try:
            exec(compile(source, file, "exec"), namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return bundles, error
    return bundles, None


def _judged(cell: Cell, outcome: Outcome, key: list[Bundle]) -> TestResult:
    """The first fault of a probe: a wrong value, else the error that ended it, else a missing or extra value."""
    bundles, error = outcome
    shown = [bundle[SHOWN] for bundle in bundles if SHOWN in bundle]
    for given, expected in zip(shown, key, strict=False):
        if message := judge(given, expected):
            return _lost(cell, "wrong", message)
    if error:
        return _lost(cell, "error", explain(error).paragraph)
    if len(shown) != len(key):
        return _lost(cell, "wrong", f"Values shown: {len(shown)}; expected: {len(key)}.")
    return TestResult(cell.name, cell.exercise or "", cell.points)


def _lost(cell: Cell, status: str, message: str) -> TestResult:
    return TestResult(cell.name, cell.exercise or "", cell.points, status, message)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Printing and warnings of cells go nowhere."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _environment(show: str | None, seed: int) -> Iterator[None]:
    """The seed of `draw`, and whether `show` sends values or also what the key needs."""
    wanted = {"MINITORCH_SEED": str(seed), "MINITORCH_SHOW": show}
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
