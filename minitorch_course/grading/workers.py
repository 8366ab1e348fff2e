"""Worker processes, each grading one submission after the other. No submission ends the run.

If a worker dies or does not answer in time, its current submission fails, and another worker takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from dataclasses import replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from .grade_submission import GradedSubmission, failed, grade_submission
from .kernel_pool import KernelPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..author.cells import Notebook
    from ..author.verdict import AnswerKey
    from .collect import SubmissionFiles
    from .kernel_process import KernelConfig
    from .sandbox import Limits

MARGIN_SECONDS = 120  # beyond the limit of a notebook: for kernels that have to be started again
OWN_SECONDS = 60  # of processor time that the grader itself may use for one submission, which takes about one
EXIT_SECONDS = 5  # in which an idle worker exits by itself
MIN_GRADER_MEMORY = 8 * 2**30  # bytes; a hostile kernel can make its grader hold much


def grade_all(
    readers: Sequence[Callable[[], SubmissionFiles]],
    notebook: Notebook,
    find_key: Callable[[], AnswerKey],
    config: KernelConfig,
    jobs: int,
) -> Iterator[GradedSubmission]:
    """Grade submissions, `jobs` at a time, and yield each result at once.

    Files are read when their turn has come, so that a class need not fit into memory. Workers start while the key is
    computed.
    """
    waiting = deque(readers)
    with contextlib.ExitStack() as stack:
        count = min(jobs, len(readers))
        workers = [stack.enter_context(_Worker(config, (i, jobs))) for i in range(count)]
        task = notebook, find_key()
        for worker in workers:
            worker.send_task(task)
        idle = list(workers)
        while True:
            while idle and waiting:
                idle.pop(0).start_grading(waiting.popleft()(), more=bool(waiting))
            busy = [worker for worker in workers if worker.files]
            if not busy:
                return
            for worker in _ready(busy):
                yield worker.result()
                idle.append(worker)


def _ready(busy: list[_Worker]) -> list[_Worker]:
    """Wait, and return the workers that have a result, have died, or have taken too long."""
    seconds = min(worker.until for worker in busy) - time.monotonic()
    ready = wait([worker.connection for worker in busy], max(0.0, seconds))
    return [worker for worker in busy if worker.connection in ready or time.monotonic() > worker.until]


class _Worker:
    """One process at a time. `files` is the submission that it grades, or None."""

    def __init__(self, config: KernelConfig, share: tuple[int, int]):
        self.arguments = config, share
        self.limit = config.limits.notebook_seconds + MARGIN_SECONDS
        self.files: SubmissionFiles | None = None
        self._start()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._end(0 if self.files else EXIT_SECONDS)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self.arguments), daemon=True)
        self._process.start()
        theirs.close()

    def _end(self, seconds: float = 0) -> None:
        self.connection.close()
        self._process.join(seconds)
        self._process.kill()
        self._process.join()

    def send_task(self, task: tuple[Notebook, AnswerKey]) -> None:
        """Send the notebook and its key: too much for the process's arguments, which would block until it reads."""
        self.task = task
        with contextlib.suppress(OSError):  # It has died: `result` will say so.
            self.connection.send(task)

    def start_grading(self, files: SubmissionFiles, more: bool) -> None:
        self.files, self.began = files, time.monotonic()
        self.until = self.began + self.limit
        with contextlib.suppress(OSError):  # It has died: `result` will say so.
            self.connection.send((files, more))

    def result(self) -> GradedSubmission:
        """Return the result of the current submission."""
        files, self.files = self.files, None
        assert files
        try:
            if not self.connection.poll(0):
                raise TimeoutError
            graded = self.connection.recv()
        except TimeoutError:
            graded = self._restart(files, f"Grading it took more than {self.limit:.0f} seconds.", settled=True)
        except (EOFError, OSError):
            self._process.join(EXIT_SECONDS)
            graded = self._restart(files, *_why_ended(self._process.exitcode))
        return replace(graded, seconds=time.monotonic() - self.began)

    def _restart(self, files: SubmissionFiles, reason: str, settled: bool) -> GradedSubmission:
        self._end()
        self._start()
        self.send_task(self.task)
        return replace(failed(files, self.task[0], reason), settled=settled)


def _why_ended(exit_code: int | None) -> tuple[str, bool]:
    """Return why a worker ended, and whether the submission would end the next one, too."""
    if exit_code == -getattr(signal, "SIGPROF", 0):
        return f"Reading and comparing it took the grader more than {OWN_SECONDS} seconds.", True
    crashed = exit_code in [-getattr(signal, name, 0) for name in ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL")]
    return "The grader itself ended while it graded this submission.", crashed


def serve(connection: Any, config: KernelConfig, share: tuple[int, int]) -> None:
    """Grade what arrives, each submission in a kernel that was started before. This runs in a worker."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the parent process.
    _limit_memory(config.limits)
    _take_share(*share)
    with KernelPool(config) as kernels, contextlib.suppress(EOFError):
        kernels.prestart()
        notebook, key = connection.recv()
        more = True
        while True:
            if more:
                kernels.prestart()
            files, more = connection.recv()
            connection.send(_graded(files, notebook, key, kernels))


def _graded(files: SubmissionFiles, notebook: Notebook, key: AnswerKey, kernels: KernelPool) -> GradedSubmission:
    try:
        with _limited_work():
            return grade_submission(files, notebook, key, kernels)
    except Exception as error:
        reason = f"It could not be graded: {type(error).__name__}: {str(error)[:500]}"
        return replace(failed(files, notebook, reason), settled=isinstance(error, MemoryError | RecursionError))


@contextlib.contextmanager
def _limited_work() -> Iterator[None]:
    """End this process if it uses more than `OWN_SECONDS` of processor time itself; kernels have their own limits.

    The system ends it, because a handler in Python does not run during a long call of C.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, OWN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory(limits: Limits) -> None:
    if sys.platform.startswith("linux"):
        import resource

        bound = max(MIN_GRADER_MEMORY, 2 * limits.memory)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def _take_share(number: int, workers: int) -> None:
    """Use only some of the cores, so that the code of one student does not slow down another's."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[number::workers] or cores)
