"""Worker processes that grade one student after the other. No student ends the run.

A worker that dies, or does not answer in time, costs the student it was at, and another takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from typing import Any

from ..author.cells import Notebook
from .collect import SubmissionFiles
from .grade_submission import GradedSubmission, failed, mark
from .kernel_process import KernelConfig
from .nbval_plugin import Key
from .nbval_runner import KernelPool
from .sandbox import Limits

MARGIN_SECONDS = 120  # beyond what a notebook may take: for kernels that have to be started again
END_SECONDS = 5  # in which an idle worker ends by itself
GRADER_MEMORY = 8 * 2**30  # bytes, at least; a hostile kernel can make its grader hold much


def grade_all(
    handed: Sequence[Callable[[], SubmissionFiles]],
    notebook: Notebook,
    find_key: Callable[[], Key],
    setting: KernelConfig,
    jobs: int,
) -> Iterator[GradedSubmission]:
    """Grade what students handed in, `jobs` of them at a time, and yield each as soon as it is done.

    What a student handed in is asked for when its turn has come, and so need not fit into memory with all others. The
    workers start while the key is found.
    """
    waiting = deque(handed)
    with contextlib.ExitStack() as stack:
        count = min(jobs, len(handed))
        workers = [stack.enter_context(_Worker(setting, (i, jobs))) for i in range(count)]
        known = notebook, find_key()
        for worker in workers:
            worker.know(known)
        idle = list(workers)
        while True:
            while idle and waiting:
                idle.pop(0).give(waiting.popleft()(), more=bool(waiting))
            busy = [worker for worker in workers if worker.at]
            if not busy:
                return
            for worker in _answering(busy):
                yield worker.answer()
                idle.append(worker)


def _answering(busy: list[_Worker]) -> list[_Worker]:
    """Those workers that have something to say, have died, or have taken too long."""
    seconds = min(worker.until for worker in busy) - time.monotonic()
    ready = wait([worker.connection for worker in busy], max(0.0, seconds))
    return [worker for worker in busy if worker.connection in ready or time.monotonic() > worker.until]


class _Worker:
    """One process at a time, and the student that it is at."""

    def __init__(self, setting: KernelConfig, share: tuple[int, int]):
        self.arguments = setting, share
        self.limit = setting.limits.notebook_seconds + MARGIN_SECONDS
        self.at: SubmissionFiles | None = None
        self._start()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._end(0 if self.at else END_SECONDS)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self.arguments), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self, patience: float = 0) -> None:
        self.connection.close()
        self._process.join(patience)
        self._process.kill()
        self._process.join()

    def know(self, known: tuple[Notebook, Key]) -> None:
        """Tell it what it needs to grade: too much for its start, which would wait until it is read."""
        self.known = known
        with contextlib.suppress(OSError):  # It has died: `answer` will say so.
            self.connection.send(known)

    def give(self, handed: SubmissionFiles, more: bool) -> None:
        self.at, self.began = handed, time.monotonic()
        self.until = self.began + self.limit
        with contextlib.suppress(OSError):  # It has died: `answer` will say so.
            self.connection.send((handed, more))

    def answer(self) -> GradedSubmission:
        """What came of the student it was at."""
        handed, self.at = self.at, None
        assert handed
        try:
            if not self.connection.poll(0):
                raise TimeoutError
            marked = self.connection.recv()
        except TimeoutError:
            marked = self._replaced(handed, f"Grading it took more than {self.limit:.0f} seconds.")
        except (EOFError, OSError):
            marked = self._replaced(handed, "The grader itself ended while it was at this submission.")
        return replace(marked, seconds=time.monotonic() - self.began)

    def _replaced(self, handed: SubmissionFiles, reason: str) -> GradedSubmission:
        self._end()
        self._start()
        self.know(self.known)
        return replace(failed(handed, self.known[0], reason), settled=False)


def serve(connection: Any, setting: KernelConfig, share: tuple[int, int]) -> None:
    """A worker's life: after the notebook and its key, grade what arrives, each in a kernel started before."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the process that started this one.
    _bound_memory(setting.limits)
    _take_share(*share)
    with KernelPool(setting) as kernels, contextlib.suppress(EOFError):
        kernels.prepare()
        notebook, key = connection.recv()
        more = True
        while True:
            if more:
                kernels.prepare()
            handed, more = connection.recv()
            connection.send(_marked(handed, notebook, key, kernels))


def _marked(handed: SubmissionFiles, notebook: Notebook, key: Key, kernels: KernelPool) -> GradedSubmission:
    try:
        return mark(handed, notebook, key, kernels)
    except Exception as error:
        reason = f"It could not be graded: {type(error).__name__}: {str(error)[:500]}"
        return replace(failed(handed, notebook, reason), settled=False)


def _bound_memory(limits: Limits) -> None:
    if sys.platform.startswith("linux"):
        import resource

        bound = max(GRADER_MEMORY, 2 * limits.memory)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def _take_share(number: int, workers: int) -> None:
    """Keep to some of the cores, so that the code of one student does not slow down another's."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[number::workers] or cores)
