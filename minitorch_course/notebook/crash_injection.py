"""`after_each_kill`: what a program leaves in its folder when it is killed, for every moment at which it can be."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

OPEN = open
MOST = 200  # moments; who has more writes in very small pieces


class Killed(BaseException):
    """Ends a function as `kill -9` ends a process: from here on it can do nothing more to a file."""


def after_each_kill(folder: Path, act: Callable[[], Any], look: Callable[[], Any]) -> list[Any]:
    """What `look()` gives after `act()` was killed: before its first operation on a file in `folder`, in the middle of
    that, before the second, and so on; last, after it was left alone.

    Before each try the folder, which holds files only, is brought back to what it was. What was written and neither
    flushed nor closed is lost with the process.

    Raises:
      RuntimeError: there are too many moments.
    """
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    found = []
    for moments in range(MOST):
        for path in folder.iterdir():
            path.unlink()
        for name, content in before.items():
            (folder / name).write_bytes(content)
        process = _Process(folder, moments)
        with process.running(), contextlib.suppress(Killed):
            act()
        found.append(look())
        if not process.dead:
            return found
    raise RuntimeError(f"after {MOST} operations on files it was still writing: write larger pieces.")


class _Process:
    """The operations on files of one thread, which ends after so many moments."""

    def __init__(self, folder: Path, moments: int):
        self.folder, self.left, self.dead = os.path.abspath(folder), moments, False
        self.thread = threading.get_ident()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("builtins.open", self._open))
            patches.enter_context(mock.patch("io.open", self._open))
            for name in ("replace", "rename", "remove", "unlink"):
                patches.enter_context(mock.patch(f"os.{name}", self._watched(getattr(os, name))))
            yield

    def moment(self) -> None:
        """The kill may come here."""
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
                self.moment()
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
        self.moment()
        raw = _File(self, OPEN(file, mode.replace("t", "").replace("b", "") + "b", 0), "a" in mode)
        if "b" in mode:
            return raw
        return io.TextIOWrapper(raw, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)


class _File(io.BytesIO):
    """An open file. What is written to it stays in the process until it is flushed or closed."""

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
            self.process.moment()
            self.real.write(part)

    def close(self) -> None:
        if self.closed:
            return
        try:
            self.flush()
        finally:
            self.real.close()
            super().close()
