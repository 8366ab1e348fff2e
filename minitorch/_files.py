"""Atomic writes: a killed process leaves the old file or the new one, but never a partial one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write `content` to a temporary file next to `path`, flush it to disk, then rename it to `path`.

    Raises:
      OSError: the folder does not exist or is not writable; the old content of `path` is unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # Without it, a power failure after the rename may leave an empty file.
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def clear_partial(folder: Path) -> None:
    """Remove the temporary files that a killed process left in `folder`."""
    for path in folder.glob(".*.partial"):
        path.unlink(missing_ok=True)
