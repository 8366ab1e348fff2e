"""Atomic writes: a killed process leaves the old file or the new one, but never a partial one."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write `content` to a temporary file next to `path`, flush it to disk, then rename it to `path`.

    Raises:
      OSError: the folder does not exist or is not writable; the old content of `path` is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with naming(path):
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # Without it, a power failure after the rename may leave an empty file.
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put `path` into the errors of the operating system, which names no file when a write fails, as on a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def clear_partial(folder: Path) -> None:
    """Remove the temporary files that a killed process left in `folder`."""
    for path in folder.glob(".*.partial"):
        path.unlink(missing_ok=True)
