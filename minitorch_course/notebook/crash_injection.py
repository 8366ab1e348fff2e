"""`after_each_kill`: kill a function at each of its file operations, and see what it leaves in its folder."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPEN = open
MAX_KILLS = 200  # A function with more file operations writes very small pieces.


class Killed(BaseException):  # Not an Exception, as KeyboardInterrupt is not.
    """Raised to end a function as `kill -9` ends a process: it cannot change a file afterwards."""


def after_each_kill(folder: Path, act: Callable[[], Any], look: Callable[[], Any]) -> list[Any]:
    """Return what `look()` returns after each way to kill `act()`, and at last after `act()` was not killed.

    `act` is killed before its first operation on a file in `folder`, in the middle of that operation, before the second
    operation, and so on. The folder, which may hold files only, is restored before each try. Data that was written but
    neither flushed nor closed is lost.

    Raises:
      RuntimeError: `act` has more than `MAX_KILLS` operations.
    """
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    found = []
    for survived in range(MAX_KILLS):
        for path in folder.iterdir():
            path.unlink()
        for name, content in before.items():
            (folder / name).write_bytes(content)
        process = _Process(folder, survived)
        with process.running(), contextlib.suppress(Killed):
            act()
        found.append(look())
        if not process.dead:
            return found
    raise RuntimeError(f"The function has more than {MAX_KILLS} operations on files: write larger pieces.")


class _Process:
    """The file operations of one thread, which is killed after a number of them."""

    def __init__(self, folder: Path, survived: int):
        self.folder, self.left, self.dead = os.path.abspath(folder), survived, False
        self.thread = threading.get_ident()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Patch the functions that open, rename and remove files."""
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("builtins.open", self._open))
            patches.enter_context(mock.patch("io.open", self._open))
            for name in ("replace", "rename", "remove", "unlink"):
                patches.enter_context(mock.patch(f"os.{name}", self._watched(getattr(os, name))))
            yield

    def may_be_killed(self) -> None:
        """Raise `Killed` if this is the operation to be killed, or a later one."""
        self.dead = self.dead or self.left == 0
        if self.dead:
            raise Killed
        self.left -= 1

    def _watches(self, path: Any) -> bool:
        if isinstance(path, int) or threading.get_ident() != self.thread:
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self.folder + os.sep)

    def _watched(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *args: Any, **options: Any) -> Any:
            if self._watches(path):
                self.may_be_killed()
            return operation(path, *args, **options)

        return watched

    def _open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *rest: Any,
        **more: Any,
    ) -> Any:
        if not self._watches(file) or not set(mode) & set("wax+"):
            return OPEN(file, mode, buffering, encoding, errors, newline, *rest, **more)
        self.may_be_killed()
        raw = _File(self, OPEN(file, mode.replace("t", "").replace("b", "") + "b", 0), "a" in mode)
        if "b" in mode:
            return raw
        return io.TextIOWrapper(raw, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)


class _File(io.BytesIO):
    """An open file that keeps what is written in memory until it is flushed or closed."""

    def __init__(self, process: _Process, real: Any, appends: bool):
        super().__init__(real.read() if real.readable() and not appends else b"")
        self.process, self.real, self.appends, self.changed = process, real, appends, False

    def write(self, data: Any) -> int:
        self.changed = True
        return super().write(data)

    def fileno(self) -> int:
        return self.real.fileno()

    def flush(self) -> None:
        if not self.changed or self.process.dead:
            return
        data = self.getvalue()
        if self.appends:
            self.seek(0)
            self.truncate()
        else:
            self.real.seek(0)
        self.changed = False
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            self.process.may_be_killed()
            self.real.write(part)

    def close(self) -> None:
        if self.closed:
            return
        try:
            self.flush()
        finally:
            self.real.close()
            super().close()
