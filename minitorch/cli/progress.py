"""Progress on standard error; standard output is for results."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..train import Sink

SECONDS_BETWEEN_LINES = 10


def echo_err(message: str) -> None:
    """Print `message` as one line on standard error."""
    print(f"minitorch: {' '.join(message.split())}", file=sys.stderr)


@contextlib.contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; yield `update(completed, total)`. Elsewhere, show nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_interactive) as progress:
        task = progress.add_task(description, total=None)
        yield lambda completed, total: progress.update(task, completed=completed, total=total)


@contextlib.contextmanager
def training_progress(steps: int) -> Iterator[Sink]:
    """Yield a sink that shows the progress of a run: a bar on a terminal, elsewhere a line every few seconds."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_interactive:
        yield _Lines(steps)
        return
    with _Bar(steps, console) as bar:
        yield bar


class _Bar:
    """One line that stays: steps, losses, throughput and remaining time."""

    def __init__(self, steps: int, console: Console):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        metrics = TextColumn("loss {task.fields[loss]}  val {task.fields[val]}  {task.fields[speed]} tokens/s")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), metrics, TimeRemainingColumn())
        self.steps, self.bar = steps, Progress(*columns, console=console)
        self.task = self.bar.add_task("preparing", total=None, loss="-", val="-", speed="-")
        self.begun = False

    def __enter__(self) -> _Bar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if not self.begun:  # Otherwise the steps before a resume would count into the speed of the bar.
            self.begun = True
            self.bar.reset(self.task, total=self.steps, completed=step, description="training")
        shown = {"loss": f"{values['loss']:.3f}"}
        if "val_loss" in values:
            shown["val"] = f"{values['val_loss']:.3f}"
        if "tokens_per_s" in values:
            shown["speed"] = f"{values['tokens_per_s']:,.0f}"
        self.bar.update(self.task, completed=step, **shown)  # type: ignore[arg-type]


class _Lines:
    """The same metrics as lines of a log file."""

    def __init__(self, steps: int):
        self.steps, self.first, self.began, self.last = steps, 0, 0.0, 0.0

    def log(self, step: int, values: Mapping[str, float]) -> None:
        now = time.monotonic()
        if not self.first:
            self.first, self.began = step, now
        if "val_loss" not in values and now - self.last < SECONDS_BETWEEN_LINES:
            return
        self.last = now
        left = (now - self.began) / max(step - self.first, 1) * (self.steps - step)
        val = f"  val_loss {values['val_loss']:.4f}" if "val_loss" in values else ""
        speed = f"  {values['tokens_per_s']:,.0f} tokens/s  {left:.0f} s left" if "tokens_per_s" in values else ""
        print(f"step {step}/{self.steps}  loss {values['loss']:.4f}{val}{speed}", file=sys.stderr, flush=True)
