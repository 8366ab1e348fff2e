"""Which exercises are done: from running a notebook, and remembered for later."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from minitorch._optional import require

from ..author.layout import write
from ..notebook.errors import EXPLAINED
from .homework import Cell, Exercise, exercises, read_cells, released_names, said

RECORD = Path(".minitorch", "checks.json")
INSTALL = "pip install 'minitorch-course[course]'"
SILENT = logging.Logger("minitorch_course")  # nbclient logs what is said here in better words.
NOT_WRITTEN = "not written yet"


@dataclass(frozen=True)
class State:
    """How far an exercise is. `done` is None where nobody knows: written, but not checked since."""

    exercise: str
    stretch: bool
    done: bool | None
    message: str = ""


def check_notebook(
    path: Path, limit: float = 300.0, each: Callable[[int, int], None] = lambda done, of: None
) -> list[State]:
    """Run a student's notebook, without its demos, and say of each exercise whether its checks pass.

    The notebook itself is left as it is. `limit` is in seconds for all of it; `each(done, of)` is called after every
    cell.
    Raises ImportError where Jupyter is not installed, ValueError or OSError for what cannot be read.
    """
    tasks, cells = exercises(path), [cell for cell in read_cells(path) if cell.kind != "demo"]
    outputs, stop = _run(cells, path.parent, limit, each)
    by_place = {cell.place: shown for cell, shown in zip(cells, outputs, strict=True)}
    states = [_checked(task, by_place, stop) for task in tasks]
    remember(path, zip(tasks, states, strict=True))
    return states


def _checked(task: Exercise, outputs: dict[int, Any], stop: str) -> State:
    """From the outputs of each cell."""
    failed = _failure(outputs.get(task.cell.place, ())) if task.cell is not None and task.written else ""
    if failed:
        return State(task.name, task.released.stretch, False, f"its own cell fails: {failed}")
    return _state(task, [s for cell in task.checks for s in said(outputs.get(cell.place, ()))], stop)


def _failure(outputs: Iterable[dict[str, Any]]) -> str:
    """The paragraph that explains why a cell failed; nothing if it did not."""
    return next((o["data"][EXPLAINED]["paragraph"] for o in outputs if EXPLAINED in o.get("data", {})), "")


def _state(task: Exercise, spoken: Sequence[dict[str, Any]], stop: str = "") -> State:
    """From what the checks said."""
    name, stretch = task.name, task.released.stretch
    if task.cell is None:
        return State(
            name, stretch, False, "its cell is gone: `minitorch course start` in an empty folder gives a fresh one"
        )
    if not task.written:
        return State(name, stretch, False, NOT_WRITTEN)
    wrong = [f"{s['case']}: {s['message']}" for s in spoken if not s["passed"]]
    if wrong:
        return State(name, stretch, False, wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
    return State(name, stretch, True if spoken else None, "" if spoken else stop or "its checks did not run")


def _run(cells: Sequence[Cell], folder: Path, limit: float, each: Callable[[int, int], None]) -> tuple[list[Any], str]:
    """The outputs of each cell, and why the run stopped early, if it did."""
    client = require("nbclient", "Checking a notebook", INSTALL)
    v4 = require("nbformat.v4", "Checking a notebook", INSTALL)
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell.source) for cell in cells])
    clock, place = Clock(limit), {"metadata": {"path": str(folder.resolve())}}
    runner = client.NotebookClient(
        notebook,
        resources=place,
        kernel_name="python3",
        allow_errors=True,
        log=SILENT,
        startup_timeout=int(limit),
        extra_arguments=["--log-level=ERROR"],
        timeout_func=clock.left,
        on_cell_executed=lambda cell, cell_index, execute_reply: each(cell_index + 1, len(cells)),
    )
    stop = ""
    try:
        runner.execute()
    except client.exceptions.CellTimeoutError:
        stop = f"not reached within {limit:g} seconds: is there a loop without an end?"
    except client.exceptions.DeadKernelError:
        stop = "not reached: the notebook's process died, perhaps for want of memory"
    except RuntimeError as error:
        raise OSError(f"The notebook could not be run: {error}. Close other programs, and try again.") from error
    return [cell.outputs for cell in notebook.cells], stop


class Clock:
    """Counts down from the first cell on: starting a kernel is not the student's time."""

    def __init__(self, limit: float):
        self.limit, self.began = limit, 0.0

    def left(self, cell: Any) -> int:
        """Seconds."""
        self.began = self.began or time.monotonic()
        return max(1, int(self.limit + self.began - time.monotonic()))


def progress(workspace: Path) -> dict[str, list[State]]:
    """How far each started notebook is, without running it: from the last `check`, else from its saved outputs."""
    paths = [workspace / f"{name}.ipynb" for name in released_names()]
    return {path.stem: [_remembered(path, task) for task in exercises(path)] for path in paths if path.exists()}


def _remembered(path: Path, task: Exercise) -> State:
    if known := recall(path, task):
        return known
    ran = task.cell is not None and all(0 < task.cell.count < cell.count for cell in task.checks)
    return _state(task, [s for cell in task.checks for s in cell.said] if ran else [], "not checked since")


def recall(path: Path, task: Exercise) -> State | None:
    """What came of checking an exercise as it is now written; None if nobody knows."""
    try:
        entry = _record(path)[path.stem][task.name]
        fresh = task.cell is not None and task.written and entry["digest"] == task.cell.digest
        return State(**entry["state"]) if fresh and entry["state"]["done"] is not None else None
    except (KeyError, TypeError):  # Never written, or damaged.
        return None


def remember(path: Path, states: Iterable[tuple[Exercise, State]]) -> None:
    """Write down what came of checking, beside the notebook. Where nothing can be written, nothing is remembered."""
    fresh = {t.name: {"digest": t.cell.digest, "state": asdict(s)} for t, s in states if t.cell is not None}
    record = _record(path)
    before = record.get(path.stem)
    record[path.stem] = (before if isinstance(before, dict) else {}) | fresh
    with contextlib.suppress(OSError):
        write(path.parent / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads((path.parent / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
