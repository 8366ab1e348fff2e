"""nbval's notebook file and cells, for grading: values are compared and not text, and no cell takes others down.

A cell that killed Python costs only itself: a fresh kernel runs the cells before it again, without those that kill.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..answers.serialize import decode, describe
from ..notebook.errors import EXPLAINED
from ..notebook.hidden_test import SHOWN, judge
from .jupyter import IPyNbCell, IPyNbFile
from .kernel import Kernel, Stopped

if TYPE_CHECKING:
    from .nbval_runner import KernelPool

LONGEST = 2000  # characters of a message
Value = Mapping[str, Any]  # what `show` sends
Key = Mapping[str, Sequence[Value]]  # what each probe shows in the reference, by name


@dataclass(frozen=True)
class Task:
    """A cell to run. `kind` is setup, exercise, added or probe."""

    name: str
    kind: str
    source: str


@dataclass
class Result:
    """What came of a cell. `status` is passed, wrong, error, timeout or not run; `error` is what an exception means."""

    name: str
    status: str = "not run"
    message: str | None = None
    given: str | None = None
    expected: str | None = None
    error: str | None = None
    seconds: float = 0.0
    shown: list[Value] = field(default_factory=list, repr=False)


class Plugin:
    """Collects our kind of file, with what it needs to know, and gathers results."""

    def __init__(self, tasks: Sequence[Task], kernels: KernelPool, key: Key | None, notebook: Any):
        self.tasks, self.kernels, self.key, self.notebook = tasks, kernels, key, notebook
        self.results = {task.name: Result(task.name) for task in tasks}
        self.broken: Exception | None = None

    def pytest_collect_file(self, file_path: Path, parent: Any) -> GradedFile | None:
        return GradedFile.from_parent(parent, path=file_path, plugin=self) if file_path.suffix == ".ipynb" else None


class GradedFile(IPyNbFile):
    """A notebook, in kernels of ours."""

    kernel: Kernel | None

    def __init__(self, *, plugin: Plugin, **options: Any):
        super().__init__(**options)
        self.plugin = plugin
        self.limits = plugin.kernels.setting.limits
        self.ran: list[Task] = []
        self.stopped: set[str] = set()
        self.began = time.monotonic()

    def collect(self) -> Iterator[GradedCell]:
        self.nb = self.plugin.notebook
        for number, (task, cell) in enumerate(zip(self.plugin.tasks, self.nb.cells, strict=True)):
            judged = task.kind == "hidden-test" and self.plugin.key is not None
            options = {"check": judged, "skip": False, "check_exception": False}
            yield GradedCell.from_parent(self, name=task.name, cell_num=number, cell=cell, options=options, task=task)

    def setup(self) -> None:
        self.began = time.monotonic()

    def teardown(self) -> None:
        if self.kernel is not None:
            self.kernel.stop()

    def left(self) -> float:
        """Seconds for the next cell: its own limit, or what is left of the notebook's."""
        return min(self.limits.cell_seconds, self.limits.notebook_seconds - (time.monotonic() - self.began))

    def alive(self) -> Kernel | None:
        """The kernel; where it has ended, a new one that has run what came before. None when the time is up."""
        while self.left() > 0:
            if self.kernel is not None and self.kernel.is_alive():
                return self.kernel
            if self.kernel is not None:
                self.kernel.stop()
            self.kernel = self.plugin.kernels.take()
            self._repeat(self.kernel)
        return None

    def _repeat(self, kernel: Kernel) -> None:
        """Run what came before, without probes and without what had to be stopped."""
        for task in self.ran:
            if task.kind != "hidden-test" and task.name not in self.stopped and self.left() > 0:
                kernel.run(task.source, self.left())
                if kernel.stopped:
                    self.stopped.add(task.name)
                if not kernel.is_alive():
                    return


class GradedCell(IPyNbCell):
    """A cell that leaves its `Result` with the plugin."""

    parent: GradedFile

    def __init__(self, *, task: Task, **options: Any):
        super().__init__(**options)
        self.task = task
        self.result = self.parent.plugin.results[task.name]

    def setup(self) -> None:
        """Nothing: nbval would give up what comes after a timeout."""

    def runtest(self) -> None:
        file = self.parent
        file.timed_out = False
        try:
            kernel = file.alive()
        except RuntimeError as error:
            file.plugin.broken = error
            raise
        if kernel is None:
            self.result.message = f"The notebook was stopped after {file.limits.notebook_seconds:.0f} seconds."
            return
        file.ran.append(self.task)
        kernel.begin(file.left())
        began = time.monotonic()
        try:
            super().runtest()
        finally:
            self.result.seconds = time.monotonic() - began
            if kernel.stopped:
                file.stopped.add(self.task.name)
            self._conclude(kernel.stopped)

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """What nbval asks of a probe: are the values that it showed those of the key?"""
        fault = _first_fault(_shown(test), _shown(ref))
        self.comparison_traceback = [fault.message] if fault else []
        return fault is None

    def _conclude(self, stopped: Stopped | None) -> None:
        """Say what came of the cell: a wrong value comes first, then what ended it, then values missing or too many."""
        result, outputs = self.result, self.test_outputs or []
        result.shown = _shown(outputs)
        ended = stopped or _error(outputs)
        fault = _first_fault(result.shown, _shown(self.cell.outputs)) if self.options["check"] else None
        if fault and not (ended and fault.count):
            result.status, result.message = "wrong", fault.message
            result.given, result.expected = fault.given, fault.expected
        elif ended:
            result.status, result.error = ended.status, ended.message
        else:
            result.status = "passed"


class Fault(NamedTuple):
    """The first wrong value of a probe: its message, the kind of value given and expected. `count`: too few or many."""

    message: str
    given: str | None = None
    expected: str | None = None
    count: bool = False


def _first_fault(shown: Sequence[Value], key: Sequence[Value]) -> Fault | None:
    for value, expected in zip(shown, key, strict=False):
        if message := _judged(value, expected):
            return Fault(_steady(message), _kind(value), _kind(expected))
    if len(shown) != len(key):
        return Fault(f"{len(shown)} values were shown where {len(key)} are expected.", count=True)
    return None


def _judged(value: Value, expected: Value) -> str | None:
    """What is wrong with a value. Nothing that a student sends may end more than its own probe."""
    try:
        return judge(value, expected)
    except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"The value cannot be compared ({type(error).__name__})."


def _kind(value: Value) -> str | None:
    try:
        return describe(decode(value["value"]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _shown(outputs: Sequence[Mapping[str, Any]]) -> list[Value]:
    return [output["data"][SHOWN] for output in outputs if SHOWN in output.get("data", {})]


def _error(outputs: Sequence[Mapping[str, Any]]) -> Stopped | None:
    """What an exception meant, in the words that the kernel found for it."""
    name = next((output["ename"] for output in outputs if output["output_type"] == "error"), None)
    if name is None:
        return None
    explained = [output["data"][EXPLAINED] for output in outputs if EXPLAINED in output.get("data", {})]
    paragraph = explained[-1].get("paragraph") if explained and isinstance(explained[-1], Mapping) else None
    return Stopped("error", _steady(str(paragraph or f"The cell was ended by {name}.")))


def _steady(text: str) -> str:
    """Text that is the same in each run: without addresses in memory."""
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x...", text[:LONGEST])
