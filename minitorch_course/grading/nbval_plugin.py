"""nbval's notebook file and cells, for grading: they compare values instead of text, and no cell affects the others.

A cell that kills Python costs only its own points: a fresh kernel runs the cells before it again, except those that
kill.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from minitorch._optional import without_rfc3987

from ..author.verdict import AnswerKey, Stop, Value, Verdict, first_mismatch, stopped_by, verdict
from ..notebook.errors import EXPLAINED
from ..notebook.hidden_test import REPORTED

if TYPE_CHECKING:
    from pathlib import Path

    from .kernel import GradingKernel
    from .kernel_pool import KernelPool
    from .merge import CodeCell

with without_rfc3987():
    from nbval.plugin import IPyNbCell, IPyNbFile


@dataclass
class CellResult:
    """The outcome of a cell. The verdict on a cell that is not compared with the key says only how it ended."""

    name: str
    verdict: Verdict = field(default_factory=lambda: Verdict("not run"))
    stop: Stop | None = None
    seconds: float = 0.0
    values: list[Value] = field(default_factory=list, repr=False)


class GradingPlugin:
    """Collects our kind of file, and gathers the results of its cells."""

    def __init__(self, cells: Sequence[CodeCell], kernels: KernelPool, key: AnswerKey | None, notebook: Any):
        self.cells, self.kernels, self.key, self.notebook = cells, kernels, key, notebook
        self.results = {cell.name: CellResult(cell.name) for cell in cells}
        self.broken: Exception | None = None

    def pytest_collect_file(self, file_path: Path, parent: Any) -> GradedFile | None:
        return GradedFile.from_parent(parent, path=file_path, plugin=self) if file_path.suffix == ".ipynb" else None


class GradedFile(IPyNbFile):
    """A notebook that runs in grading kernels."""

    kernel: GradingKernel | None

    def __init__(self, *, plugin: GradingPlugin, **options: Any):
        super().__init__(**options)
        self.plugin = plugin
        self.limits = plugin.kernels.config.limits
        self.ran: list[CodeCell] = []
        self.stopped: set[str] = set()
        self.began = time.monotonic()

    def collect(self) -> Iterator[GradedCell]:
        self.nb = self.plugin.notebook
        for number, (code_cell, cell) in enumerate(zip(self.plugin.cells, self.nb.cells, strict=True)):
            compared = code_cell.kind == "hidden-test" and self.plugin.key is not None
            options = {"check": compared, "skip": False, "check_exception": False}
            yield GradedCell.from_parent(
                self, name=code_cell.name, cell_num=number, cell=cell, options=options, code_cell=code_cell
            )

    def setup(self) -> None:
        self.began = time.monotonic()

    def teardown(self) -> None:
        if self.kernel is not None:
            self.kernel.stop()

    def seconds_left(self) -> float:
        """Return the time for the next cell: its own limit, or the rest of the notebook's."""
        return min(self.limits.cell_seconds, self.limits.notebook_seconds - (time.monotonic() - self.began))

    def live_kernel(self) -> GradingKernel | None:
        """Return the kernel; if it has ended, a new one that has run the cells before. None if the time is up."""
        while self.seconds_left() > 0:
            if self.kernel is not None and self.kernel.is_alive():
                return self.kernel
            if self.kernel is not None:
                self.kernel.stop()
            self.kernel = self.plugin.kernels.take()
            self._replay(self.kernel)
        return None

    def _replay(self, kernel: GradingKernel) -> None:
        """Run the cells before again, without hidden tests and without cells that had to be stopped."""
        for cell in self.ran:
            if cell.kind != "hidden-test" and cell.name not in self.stopped and self.seconds_left() > 0:
                kernel.run(cell.source, self.seconds_left())
                if kernel.stop_reason:
                    self.stopped.add(cell.name)
                if not kernel.is_alive():
                    return


class GradedCell(IPyNbCell):
    """A cell that leaves its `CellResult` with the plugin."""

    parent: GradedFile

    def __init__(self, *, code_cell: CodeCell, **options: Any):
        super().__init__(**options)
        self.code_cell = code_cell
        self.result = self.parent.plugin.results[code_cell.name]

    def setup(self) -> None:
        """Do nothing: nbval would skip the cells after a timeout."""

    def runtest(self) -> None:
        file = self.parent
        file.timed_out = False
        try:
            kernel = file.live_kernel()
        except RuntimeError as error:
            file.plugin.broken = error
            raise
        if kernel is None:
            message = f"The notebook was stopped after {file.limits.notebook_seconds:.0f} seconds."
            self.result.verdict = Verdict("not run", message)
            return
        file.ran.append(self.code_cell)
        kernel.begin(file.seconds_left())
        began = time.monotonic()
        try:
            super().runtest()
        finally:
            self.result.seconds = time.monotonic() - began
            if kernel.stop_reason:
                file.stopped.add(self.code_cell.name)
            self._conclude(kernel.stop_reason)

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """Return whether a hidden test reported the values of the key. nbval calls this."""
        mismatch = first_mismatch(_values(test), _values(ref))
        self.comparison_traceback = [mismatch.message] if mismatch else []
        return mismatch is None

    def _conclude(self, stop: Stop | None) -> None:
        result, outputs = self.result, self.test_outputs or []
        result.values = _values(outputs)
        result.stop = stop or _exception(outputs)
        if self.options["check"]:
            result.verdict = verdict(result.values, _values(self.cell.outputs), result.stop)
        else:
            result.verdict = verdict([], [], result.stop)


def _values(outputs: Sequence[Mapping[str, Any]]) -> list[Value]:
    return [output["data"][REPORTED] for output in outputs if REPORTED in output.get("data", {})]


def _exception(outputs: Sequence[Mapping[str, Any]]) -> Stop | None:
    """Return the exception that ended the cell, in the words that the kernel found for it."""
    name = next((output["ename"] for output in outputs if output["output_type"] == "error"), None)
    if name is None:
        return None
    explained = [output["data"][EXPLAINED] for output in outputs if EXPLAINED in output.get("data", {})]
    paragraph = explained[-1].get("paragraph") if explained and isinstance(explained[-1], Mapping) else None
    return stopped_by(name, str(paragraph) if paragraph else None)
