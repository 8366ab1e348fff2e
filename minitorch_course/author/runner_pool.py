"""Several runners of one notebook in parallel, one for each CPU core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING

from .runner import Runner

if TYPE_CHECKING:
    from .cells import Notebook

Inspection = Callable[[Runner], list[str]]  # Returns one line for each problem.


class RunnerPool:
    """Does inspections with `jobs` runners. A context manager, since each runner is a process."""

    def __init__(self, notebook: Notebook, jobs: int):
        self.runners = [Runner(notebook) for _ in range(jobs)]
        self.idle: SimpleQueue[Runner] = SimpleQueue()
        for runner in self.runners:
            self.idle.put(runner)

    def __enter__(self) -> RunnerPool:
        return self

    def __exit__(self, *error: object) -> None:
        for runner in self.runners:
            runner.close()

    def map(self, inspections: Sequence[Inspection]) -> Iterator[list[str]]:
        """Yield the problems that each inspection finds, in order."""
        with ThreadPoolExecutor(len(self.runners)) as pool:
            try:
                yield from pool.map(self._do, inspections)
            finally:
                pool.shutdown(cancel_futures=True)

    def _do(self, inspection: Inspection) -> list[str]:
        runner = self.idle.get()
        try:
            return inspection(runner)
        finally:
            self.idle.put(runner)
