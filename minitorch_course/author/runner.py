"""A notebook run and graded in a child process, as often as asked: for planted wrong answers and for mutants.

The child imports JAX once and stays, so that one more answer costs milliseconds. A loop without end is cut: a new child
takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
import traceback
from collections.abc import Generator, Mapping
from typing import Any

from .cells import Notebook
from .jit_cache import keep
from .session import CheckResult, Session, TestResult

LIMIT = 60.0  # seconds without a result
DONE = "done"


class Ended(Exception):
    """The child said no more; `status` is that of the probe that it was at."""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


class Runner:
    """Grades answers to one notebook. A context manager; `close` ends the child."""

    def __init__(self, notebook: Notebook, limit: float = LIMIT):
        self.notebook, self.limit = notebook, limit
        self._process: Any = None
        self._connection: Any = None
        self._seconds: float | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def grade(self, replaced: Mapping[str, str] | None = None, seed: int = 0) -> dict[str, TestResult]:
        """What came of each probe, by name, with the code `replaced` (exercise -> whole cell) in its place.

        Raises ValueError where the reference itself fails.
        """
        found: dict[str, TestResult] = {}
        try:
            for probed in self._ask("grade", dict(replaced or {}), seed):
                found[probed.name] = probed
        except Ended as end:
            status, message = end.status, str(end)
            for cell in self.notebook.of("hidden-test"):
                if cell.name not in found:
                    found[cell.name] = TestResult(cell.name, cell.exercise or "", cell.points, status, message)
                    status, message = "not run", "The notebook had ended before this."
        return found

    def first_failed_test(self, exercise: str, code: str) -> TestResult | None:
        """The first probe with points that `code` loses as the cell of `exercise`; None if it earns them all.

        Code that takes many times longer than the reference is said to loop, and loses.
        """
        usual, self.limit = self.limit, self._patience()
        try:
            with contextlib.closing(self._ask("grade", {exercise: code}, 0, exercise)) as results:
                return next((probed for probed in results if probed.points and not probed.passed), None)
        except Ended as end:
            return TestResult("", exercise, 0, end.status, str(end))
        finally:
            self.limit = usual

    def _patience(self) -> float:
        """Seconds to wait for code that should take as long as the reference does once it is compiled."""
        if self._process is None or self._seconds is None:
            self.grade()
            begun = time.monotonic()
            self.grade()
            self._seconds = time.monotonic() - begun
        return 5 + 5 * self._seconds

    def check(self, replaced: Mapping[str, str] | None = None, exercise: str | None = None) -> list[CheckResult]:
        """What the visible checks of an exercise, or all, say of such code."""
        found = []
        with contextlib.suppress(Ended):
            found.extend(self._ask("check", dict(replaced or {}), exercise))
        return found

    def _ask(self, method: str, *arguments: Any) -> Generator[Any]:
        """What the child yields. Leaving early stops it after its next result. Raises Ended if it says no more."""
        if self._process is None:
            self._start()
        self._connection.send((method, arguments))
        try:
            while (answer := self._receive()) is not DONE:
                yield answer
                self._connection.send(True)
        except GeneratorExit:
            self._connection.send(False)
            raise

    def _receive(self) -> Any:
        if not self._connection.poll(self.limit):
            self.close()
            raise Ended("timeout", f"No answer within {self.limit:g} seconds: does a loop never end?")
        try:
            kind, content = self._connection.recv()
        except (EOFError, OSError):
            self.close()
            raise Ended("error", "The process ended before it answered: does the code call exit?") from None
        if kind == "failed":
            raise ValueError(content)
        if kind == "broken":
            raise RuntimeError(content)
        return DONE if kind == DONE else content

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self.notebook), daemon=True)
        self._process.start()
        theirs.close()

    def close(self) -> None:
        """End the child. The next question starts a new one."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process = None


def serve(connection: Any, notebook: Notebook) -> None:
    """The child: answer questions until nobody asks any more."""
    _prepare()
    session = Session(notebook)
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            method, arguments = connection.recv()
            _answer(connection, getattr(session, method)(*arguments))


def _answer(connection: Any, results: Generator[Any]) -> None:
    """Send results one by one, as long as more are wanted."""
    try:
        with contextlib.closing(results):
            for result in results:
                connection.send(("result", result))
                if not connection.recv():
                    return
    except ValueError as error:
        connection.send(("failed", str(error)))
    except Exception:
        connection.send(("broken", traceback.format_exc()))
    else:
        connection.send((DONE, None))


def _prepare() -> None:
    """Compile little and keep it: here JAX runs small functions once or twice each."""
    import jax
    import matplotlib

    matplotlib.use("agg")
    jax.config.update("jax_disable_most_optimizations", True)
    keep()
