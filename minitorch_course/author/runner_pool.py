"""Several runners of one notebook at work side by side, a CPU core each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from .cells import Notebook
from .runner import Runner

Task = Callable[[Runner], list[str]]  # Returns a line for each thing that is wrong.


class RunnerPool:
    """Does tasks with `jobs` runners. A context manager, since each runner is a process."""

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

    def each(self, tasks: Sequence[Task]) -> Iterator[list[str]]:
        """The result of every task, in their order."""
        with ThreadPoolExecutor(len(self.runners)) as pool:
            try:
                yield from pool.map(self._do, tasks)
            finally:
                pool.shutdown(cancel_futures=True)

    def _do(self, task: Task) -> list[str]:
        runner = self.idle.get()
        try:
            return task(runner)
        finally:
            self.idle.put(runner)


def cores() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
