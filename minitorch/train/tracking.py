"""What a run tells about itself as it goes: a row of numbers for each step, to a file and to whoever else listens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from .files import write_whole

Row = dict[str, Any]


class Sink(Protocol):
    """Anything with this method can listen: a progress bar, a plot, a tracking server."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the numbers of one step: `loss`, `gradient_norm`, `learning_rate`; `tokens_per_s`, but not of steps that
        waited for the compiler; and `val_loss` where the model was evaluated."""
        ...


class JsonLines:
    """A sink that adds each row to a file, one JSON object on a line, whole before the next begins.

    `after` drops the rows of later steps first: those that a run made after the checkpoint from which it now goes on.
    """

    def __init__(self, path: Path, after: int = 0):
        kept = [row for row in read_rows(path) if row["step"] <= after]
        write_whole(path, "".join(map(_line, kept)))
        self._file = path.open("a", encoding="utf-8", newline="\n", buffering=1)  # Written out line by line.

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._file.write(_line({"step": step, **values}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def read_rows(path: Path) -> list[Row]:
    """The rows of a metrics file, without a last one that a kill cut short; none where there is no file.

    Raises:
      ValueError: another line is no JSON.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number} is not JSON ({error}): delete that line.") from error
    return rows


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"
