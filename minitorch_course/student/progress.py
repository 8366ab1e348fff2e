"""The state of each exercise: from a run of the notebook, saved for later."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write
from minitorch._optional import require

from ..notebook.errors import EXPLAINED
from .homework import Exercise, NotebookCell, check_results, exercises, read_homework, released_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

STATES = Path(".minitorch", "checks.json")
INSTALL = "pip install 'minitorch-course[course]'"
SILENT = logging.Logger("minitorch_course")  # The messages below replace the log of nbclient.
NOT_WRITTEN = "not written yet"


@dataclass(frozen=True)
class State:
    """The state of an exercise. `done` is None if it is written, but was not checked since."""

    exercise: str
    stretch: bool
    done: bool | None
    message: str = ""


def check_notebook(
    path: Path, limit: float = 300.0, each: Callable[[int, int], None] = lambda done, of: None
) -> list[State]:
    """Run a student's notebook, without its demos, and return whether the checks of each exercise pass.

    The file is not changed.

    Args:
      path: the notebook.
      limit: seconds for the whole notebook.
      each: called as `each(done, of)` after every cell.

    Raises:
      ImportError: Jupyter is not installed.
      ValueError: the file is not a notebook.
      OSError: the file cannot be read, or the notebook cannot be run.
    """
    homework = read_homework(path)
    cells = [cell for cell in homework.cells if cell.kind != "demo"]
    outputs, stop = _run(cells, path.parent, limit, each)
    by_id = {cell.id: shown for cell, shown in zip(cells, outputs, strict=True)}
    states = [_state_after_run(exercise, by_id, stop) for exercise in homework.exercises]
    save_states(path, zip(homework.exercises, states, strict=True))
    return states


def _state_after_run(exercise: Exercise, outputs: dict[str, Any], stop: str) -> State:
    cell = exercise.cell
    failed = _failure(outputs.get(cell.id, ())) if cell is not None and exercise.written else ""
    if failed:
        return State(exercise.name, exercise.released.stretch, False, f"its own cell fails: {failed}")
    results = [r for check in exercise.checks for r in check_results(outputs.get(check.id, ()))]
    state = _state(exercise, results, stop)
    lost = [check.id for check in exercise.checks if check.restored]
    return replace(state, message=" ".join(filter(None, (state.message, _about_lost(lost))))) if lost else state


def _about_lost(checks: Sequence[str]) -> str:
    return (
        f"(Your notebook's cell {' and '.join(checks)} was merged, changed or deleted: the released one was run."
        " To get it back, copy it from a fresh notebook: run `minitorch course start` in an empty folder.)"
    )


def _failure(outputs: Iterable[dict[str, Any]]) -> str:
    """Return the explanation of the error that a cell raised, or "" if it raised none."""
    return next((o["data"][EXPLAINED]["paragraph"] for o in outputs if EXPLAINED in o.get("data", {})), "")


def _state(exercise: Exercise, results: Sequence[dict[str, Any]], stop: str = "") -> State:
    """Return the state of an exercise with these results of its checks."""
    name, stretch = exercise.name, exercise.released.stretch
    if exercise.cell is None:
        return State(
            name, stretch, False, "its cell is deleted: `minitorch course start` in an empty folder gives a fresh one"
        )
    if not exercise.written:
        return State(name, stretch, False, NOT_WRITTEN)
    wrong = [f"{result['case']}: {result['message']}" for result in results if not result["passed"]]
    if wrong:
        return State(name, stretch, False, wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
    return State(name, stretch, True if results else None, "" if results else stop or "its checks did not run")


def _run(
    cells: Sequence[NotebookCell], folder: Path, limit: float, each: Callable[[int, int], None]
) -> tuple[list[Any], str]:
    """Return the outputs of each cell, and why the run stopped early, or ""."""
    client = require("nbclient", "Checking a notebook", INSTALL)
    v4 = require("nbformat.v4", "Checking a notebook", INSTALL)
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell.source) for cell in cells])
    deadline = Deadline(limit)
    runner = client.NotebookClient(
        notebook,
        resources={"metadata": {"path": str(folder.resolve())}},
        kernel_name="python3",
        allow_errors=True,
        log=SILENT,
        startup_timeout=int(limit),
        extra_arguments=["--log-level=ERROR"],
        timeout_func=deadline.seconds_left,
        on_cell_executed=lambda cell, cell_index, execute_reply: each(cell_index + 1, len(cells)),
    )
    stop = ""
    try:
        runner.execute()
    except client.exceptions.CellTimeoutError:
        stop = f"not reached within {limit:g} seconds: is there an endless loop?"
    except client.exceptions.DeadKernelError:
        stop = "not reached: the notebook's process died, perhaps because memory ran out"
    except RuntimeError as error:
        raise OSError(f"The notebook could not be run: {error}. Close other programs, and try again.") from error
    return [cell.outputs for cell in notebook.cells], stop


class Deadline:
    """A limit in seconds that counts from the first cell on: the kernel's start is not the student's time."""

    def __init__(self, limit: float):
        self.limit, self.began = limit, 0.0

    def seconds_left(self, cell: Any) -> int:
        """Return the seconds that are left for the next cell, at least 1."""
        self.began = self.began or time.monotonic()
        return max(1, int(self.limit + self.began - time.monotonic()))


def progress(workspace: Path) -> dict[str, list[State]]:
    """Return the states in each started notebook without running it: from the last run, or from saved outputs."""
    paths = [workspace / f"{name}.ipynb" for name in released_names()]
    return {
        path.stem: [_state_without_run(path, exercise) for exercise in exercises(path)]
        for path in paths
        if path.exists()
    }


def _state_without_run(path: Path, exercise: Exercise) -> State:
    if known := saved_state(path, exercise):
        return known
    cell, checks = exercise.cell, exercise.checks
    ran = cell is not None and all(0 < cell.execution_count < check.execution_count for check in checks)
    return _state(exercise, [r for check in checks for r in check.checked] if ran else [], "not checked since")


def saved_state(path: Path, exercise: Exercise) -> State | None:
    """Return the saved state of an exercise, or None if its code was not checked since it changed."""
    try:
        entry = _read_states(path)[path.stem][exercise.name]
        fresh = exercise.cell is not None and exercise.written and entry["digest"] == exercise.cell.digest
        return State(**entry["state"]) if fresh and entry["state"]["done"] is not None else None
    except (KeyError, TypeError):  # Never written, or damaged.
        return None


def save_states(path: Path, states: Iterable[tuple[Exercise, State]]) -> None:
    """Save states in a file next to the notebook. A folder that cannot be written is ignored."""
    fresh = {e.name: {"digest": e.cell.digest, "state": asdict(state)} for e, state in states if e.cell is not None}
    saved = _read_states(path)
    before = saved.get(path.stem)
    saved[path.stem] = (before if isinstance(before, dict) else {}) | fresh
    file = path.parent / STATES
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        atomic_write(file, json.dumps(saved, indent=2, ensure_ascii=False) + "\n")


def _read_states(path: Path) -> dict[str, Any]:
    try:
        saved = json.loads((path.parent / STATES).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return saved if isinstance(saved, dict) else {}
