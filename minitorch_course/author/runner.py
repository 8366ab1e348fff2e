"""A notebook graded in a child process, any number of times: for wrong answers and for mutants.

The child imports JAX once and stays, so that one more answer costs milliseconds. A child that does not answer in time
is killed, and a new one takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import time
import traceback
from typing import TYPE_CHECKING, Any

from . import jit_cache
from .session import CheckResult, Session, TestResult
from .verdict import PROCESS_ENDED, Stop, out_of_time

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .cells import Notebook

LIMIT = 60.0  # seconds without a result
DONE = "done"


class RunnerStoppedError(Exception):
    """The child sends no more results; `stop` says why."""

    def __init__(self, stop: Stop):
        super().__init__(stop.reason)
        self.stop = stop


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

    def grade(
        self, replaced: Mapping[str, str] | None = None, seed: int = 0, changed: str | None = None
    ) -> dict[str, TestResult]:
        """Return the result of each hidden test by name. For the arguments see `Session.grade`.

        Raises:
          ValueError: the reference itself fails.
        """
        found: dict[str, TestResult] = {}
        try:
            for result in self._ask("grade", dict(replaced or {}), seed, changed):
                found[result.name] = result
        except RunnerStoppedError as error:
            status, message = error.stop
            for cell in self._tests_from(changed):
                if cell.name not in found:
                    found[cell.name] = TestResult(cell.name, cell.exercise or "", cell.points, status, message)
                    status, message = "not run", "The notebook had ended before this."
        return found

    def first_failed_test(self, exercise: str, code: str) -> TestResult | None:
        """Return the first test with points that `code` loses as the cell of `exercise`; None if it earns them all.

        Code that takes many times longer than the reference is said to loop, and loses.
        """
        usual, self.limit = self.limit, self._time_limit()
        try:
            with contextlib.closing(self._ask("grade", {exercise: code}, 0, exercise)) as results:
                return next((result for result in results if result.points and not result.passed), None)
        except RunnerStoppedError as error:
            return TestResult("", exercise, 0, *error.stop)
        finally:
            self.limit = usual

    def check(self, replaced: Mapping[str, str] | None = None, exercise: str | None = None) -> list[CheckResult]:
        """Return the results of the visible checks of an exercise, or of all, for such code."""
        found = []
        with contextlib.suppress(RunnerStoppedError):
            found.extend(self._ask("check", dict(replaced or {}), exercise))
        return found

    def close(self) -> None:
        """End the child. The next question starts a new one."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.join()
            self._process = None

    def _tests_from(self, changed: str | None) -> list[Any]:
        cells = self.notebook.of("exercise", "hidden-test")
        first = next((i for i, cell in enumerate(cells) if cell.name == changed), 0)
        return [cell for cell in cells[first:] if cell.kind == "hidden-test"]

    def _time_limit(self) -> float:
        """Return the seconds to wait for code that should take as long as the compiled reference."""
        if self._process is None or self._seconds is None:
            self.grade()
            begun = time.monotonic()
            self.grade()
            self._seconds = time.monotonic() - begun
        return 5 + 5 * self._seconds

    def _ask(self, method: str, *arguments: Any) -> Generator[Any]:
        """Yield what the child yields. Leaving early stops it after its next result.

        Raises:
          RunnerStoppedError: it ended, or was too slow.
        """
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
            raise RunnerStoppedError(out_of_time(self.limit))
        try:
            kind, content = self._connection.recv()
        except (EOFError, OSError):
            self.close()
            raise RunnerStoppedError(PROCESS_ENDED) from None
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


def serve(connection: Any, notebook: Notebook) -> None:
    """Answer questions until the connection closes. This runs in the child."""
    _configure_jax()
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


def _configure_jax() -> None:
    """Compile quickly and keep the programs: small functions run once or twice each here."""
    import jax
    import matplotlib

    matplotlib.use("agg")
    jax.config.update("jax_disable_most_optimizations", True)
    jit_cache.enable()
