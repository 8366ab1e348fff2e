"""Which exercises are done: from running a notebook, and remembered for later."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..data.optional import require
from .homework import Exercise, exercises, read_cells, released_names, said
from .places import write

RECORD = Path(".minitorch", "checks.json")
INSTALL = "pip install 'minitorch-course[course]'"
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
    tasks = exercises(path)
    spoken, stop = _run(path, limit, each)
    states = [_state(task, [s for cell in task.checks for s in spoken.get(cell.name, [])], stop) for task in tasks]
    remember(path, zip(tasks, states, strict=True))
    return states


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


def _run(path: Path, limit: float, each: Callable[[int, int], None]) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """What the checks of each cell said, and why the run stopped early, if it did."""
    client = require("nbclient", "Checking a notebook", INSTALL)
    notebook = require("nbformat", "Checking a notebook", INSTALL).read(path, 4)
    demos = {cell.name for cell in read_cells(path) if cell.kind == "demo"}
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.get("id") not in demos]
    deadline = time.monotonic() + limit
    runner = client.NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        startup_timeout=int(limit),
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent.resolve())}},
        timeout_func=lambda cell: max(1, int(deadline - time.monotonic())),
        on_cell_executed=lambda cell, cell_index, execute_reply: each(cell_index + 1, len(notebook.cells)),
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
    return {cell.get("id", ""): said(cell.outputs) for cell in notebook.cells}, stop


def progress(workspace: Path) -> dict[str, list[State]]:
    """How far each started notebook is, without running it: from the last `check`, else from its saved outputs."""
    paths = [workspace / f"{name}.ipynb" for name in released_names()]
    return {path.stem: [_remembered(task, recall(path)) for task in exercises(path)] for path in paths if path.exists()}


def _remembered(task: Exercise, record: dict[str, Any]) -> State:
    known = record.get(task.name, {})
    if task.cell is not None and task.written and known.get("digest") == task.cell.digest:
        return State(task.name, task.released.stretch, known["done"], known["message"])
    ran = task.cell is not None and all(0 < task.cell.count < cell.count for cell in task.checks)
    return _state(task, [s for cell in task.checks for s in cell.said] if ran else [], "not checked since")


def recall(path: Path) -> dict[str, Any]:
    """What is remembered of a notebook's exercises; nothing where the record is missing or damaged."""
    try:
        return dict(json.loads((path.parent / RECORD).read_text("utf-8"))[path.stem])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def remember(path: Path, states: Iterable[tuple[Exercise, State]]) -> None:
    """Write down what came of checking, beside the notebook. Where nothing can be written, nothing is remembered."""
    record = recall(path) | {
        task.name: {"digest": task.cell.digest, **asdict(state)} for task, state in states if task.cell is not None
    }
    file = path.parent / RECORD
    with contextlib.suppress(OSError):
        others = {other: recall(path.with_stem(other)) for other in released_names()}
        write(file, json.dumps({**others, path.stem: record}, indent=2, ensure_ascii=False) + "\n")
