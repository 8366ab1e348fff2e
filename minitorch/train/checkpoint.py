"""Checkpoints of a run's state: written atomically, verified before they are read, the last few kept.

Orbax writes the arrays into `checkpoints/unfinished`; we add the sizes and checksums of all its files, and one rename
publishes the folder as `checkpoints/00000500`. A process killed at any moment leaves the earlier checkpoints, and maybe
an unfinished one that the next process removes. The checksums are ours because Orbax does not detect flipped bits.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KEEP = 3  # checkpoints; the last is enough to resume, unless its disk block is damaged
UNFINISHED = "unfinished"
CHECKSUMS = "checksums.json"


def steps(folder: Path) -> list[int]:
    """Return the steps that have a finished checkpoint, in ascending order."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return sorted(int(name) for name in names if name.isdigit())


def save(folder: Path, step: int, arrays: Mapping[str, Any]) -> None:
    """Write `arrays` as the checkpoint of `step`, and remove all but the last `KEEP`.

    Raises:
      OSError: it cannot be written, such as on a full disk; the earlier checkpoints are unchanged.
    """
    import orbax.checkpoint as ocp  # Takes a second.

    unfinished = (folder / UNFINISHED).absolute()
    clear_unfinished(folder)
    unfinished.mkdir(parents=True)
    inside = unfinished / _name(step)
    try:
        with _without_log(), ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
            checkpointer.save(inside, {path: np.asarray(value) for path, value in arrays.items()})
        (inside / CHECKSUMS).write_text(json.dumps(_checksums(inside)), encoding="utf-8")
        os.replace(inside, folder / _name(step))
    except (OSError, ValueError) as error:
        if not (number := _errno(error)):
            raise
        clear_unfinished(folder)  # It may be what fills the disk.
        raise OSError(number, os.strerror(number), str(folder / _name(step))) from error
    for old in steps(folder)[:-KEEP]:  # renamed before it is removed: half a checkpoint must not look like a whole one
        os.replace(folder / _name(old), folder / UNFINISHED / f"removed-{old}")
    clear_unfinished(folder)


def restore(folder: Path, step: int) -> dict[str, np.ndarray]:
    """Read the arrays that `save` wrote for `step`.

    Raises:
      FileNotFoundError: there is no such checkpoint.
      ValueError: a file is missing, truncated or changed. Names the folder to remove, and where the run then resumes.
    """
    import orbax.checkpoint as ocp

    path = folder / _name(step)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no checkpoint {path}: the steps that have one are {steps(folder)}.")
    if damage := _damage(path):
        earlier = [s for s in steps(folder) if s < step]
        then = f"resumes from {folder / _name(earlier[-1])}" if earlier else "starts from the beginning"
        raise ValueError(f"the checkpoint {path} is damaged ({damage}): remove that folder, and the run {then}.")
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        return {name: np.asarray(value) for name, value in checkpointer.restore(path.absolute()).items()}


def clear_unfinished(folder: Path) -> None:
    """Remove checkpoints that a killed process left half written or half removed."""
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Turn off what Orbax prints if it fails: a traceback for each thread. The error that it raises says the same."""
    log = logging.getLogger("absl")
    before, hook = log.disabled, sys.unraisablehook

    def ignore_closed_loop(unraisable: sys.UnraisableHookArgs) -> None:
        if "Event loop is closed" not in str(unraisable.exc_value):
            hook(unraisable)

    log.disabled, sys.unraisablehook = True, ignore_closed_loop
    try:
        yield
        sys.unraisablehook = hook  # After a failure it stays, because other threads may still fail.
    finally:
        log.disabled = before


def _errno(error: Exception) -> int | None:
    """Return the number of the operating system's error, which TensorStore has only in the text of a ValueError."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"os_error_code='(\d+)'", str(error))
    return int(found[1]) if found else None


def _name(step: int) -> str:
    return f"{step:08d}"


def _checksums(path: Path) -> dict[str, tuple[int, int]]:
    """Return the size and CRC-32 of each file under `path`."""
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != CHECKSUMS)
    return {p.relative_to(path).as_posix(): (p.stat().st_size, _crc(p)) for p in files}


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc = zlib.crc32(chunk, crc)
    return crc


def _damage(path: Path) -> str | None:
    """Describe the first file that is not as it was written, or return None."""
    try:
        expected = json.loads((path / CHECKSUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{CHECKSUMS} is missing or unreadable"
    found = _checksums(path)
    for name, (size, crc) in expected.items():
        if name not in found:
            return f"{name} is missing"
        if found[name][0] != size:
            return f"{name} has {found[name][0]} bytes, not {size}"
        if found[name][1] != crc:
            return f"{name} has other content than when it was written"
    return None
