"""What `distill`, `prune` and `finetune` share: a run that begins with another run, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .devices import use_cores
from .progress import progress, echo_err

if TYPE_CHECKING:
    from ..optim import Transform
    from ..train import TaskFactory, RunConfig
    from ..train.prepare import Prepared


def settings(config: RunConfig, **changes: Any) -> RunConfig:
    """The settings of a run that follows another: those of `config`, but for what was given (None: nothing was).

    What depends on the number of steps is chosen anew.
    """
    steps = changes.get("steps") or config.steps
    anew: dict[str, Any] = dict(warmup=None, eval_every=max(1, steps // 4), checkpoint_every=max(1, steps // 4))
    if config.optimizer == "own":
        anew["optimizer"] = "adamw"
    return dataclasses.replace(config, **anew, **{k: v for k, v in changes.items() if v is not None})


def load_run_text(run: Path, config: RunConfig, data: str | None) -> Prepared:
    """What the run in the folder `run` was trained on, or the text `data`: to judge weights by.

    Raises ValueError as `prepare` does, with the advice to name another text if none was named.
    """
    from ..train.prepare import prepare

    try:
        return prepare(dataclasses.replace(config, data=data or config.data), run)
    except (ValueError, FileNotFoundError) as error:
        if data:
            raise
        raise ValueError(f"what {run} was trained on does not serve ({error}): name a text with --data.") from error


def run_training(
    config: RunConfig, out: Path, resume: bool, task: TaskFactory, optimizer: Transform | None = None
) -> None:
    """Train with a progress bar, and end with the line that `minitorch train` ends with."""
    from ..train import train

    with exit_on_interrupt(out), progress(config.steps) as bar:
        result = train(config, out, resume=resume, sinks=[bar], task=task, optimizer=optimizer)
    speed, seconds = result.tokens_per_s, result.seconds
    print(f"final val_loss={result.val_loss:.4f} tokens_per_s={speed:.0f} seconds={seconds:.1f}")


@contextlib.contextmanager
def exit_on_interrupt(out: Path) -> Iterator[None]:
    """Exit as shells expect of a program that a signal ended, having said how to go on."""
    from ..train import Interrupted

    try:
        yield
    except Interrupted as stop:
        echo_err(f"{stop}. Go on with the same command and --resume.")
        raise typer.Exit(128 + stop.signal_number) from None


def cores_of(run: Path) -> None:
    """Set up the devices for a run that follows the one in `run`, before JAX starts."""
    from ..train import read_record

    use_cores(read_record(run).config.batch)
