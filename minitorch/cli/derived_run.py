"""What `distill`, `prune` and `finetune` share: a run that starts from another run, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .._interrupt import INTERRUPTED, saying
from .progress import echo_err, training_progress

if TYPE_CHECKING:
    from ..optim import Transform
    from ..train import LoadedRun, Result, RunConfig, TaskFactory
    from ..train.prepare import Prepared


def settings(config: RunConfig, **changes: Any) -> RunConfig:
    """Return `config` with the changes that are not None.

    The warm-up and the intervals of evaluations and checkpoints are chosen again for the number of steps.
    """
    from ..train.config import CUSTOM

    steps = changes.get("steps") or config.steps
    again: dict[str, Any] = dict(warmup=None, eval_every=max(1, steps // 4), checkpoint_every=max(1, steps // 4))
    if config.optimizer == CUSTOM:
        again["optimizer"] = "adamw"
    return dataclasses.replace(config, **again, **{k: v for k, v in changes.items() if v is not None})


def load_run_text(run: Path, config: RunConfig, data: str | None) -> Prepared:
    """Load and tokenize the text of `run`, or `data`. Raises as `prepare`; without `data`, advises to name a text."""
    from ..train.prepare import prepare

    try:
        return prepare(dataclasses.replace(config, data=data or config.data), run)
    except (ValueError, FileNotFoundError) as error:
        if data:
            raise
        raise ValueError(f"cannot use the training data of {run} ({error}): name a text with --data.") from error


def load(run: Path) -> LoadedRun:
    """Load a run, and print on standard error if it is not finished, because its weights are those of a checkpoint."""
    from ..train import load_run

    loaded = load_run(run)
    if loaded.step < loaded.config.steps:
        echo_err(f"{run} is not finished: this is the model after step {loaded.step} of {loaded.config.steps}.")
    return loaded


def run_training(
    config: RunConfig, out: Path, resume: bool, task: TaskFactory, optimizer: Transform | None = None
) -> None:
    """Train with a progress bar, and print the last line of `minitorch train`."""
    from ..train import train

    complete = resume and was_complete(out)
    with exit_on_interrupt(out), training_progress(config.steps) as bar:
        result = train(config, out, resume=resume, sinks=[bar], task=task, optimizer=optimizer)
    print_result(result, complete)


def print_result(result: Result, complete: bool) -> None:
    """Print the last line of a training command, which scripts can parse, and that a `complete` run was left alone."""
    if complete:
        echo_err(f"the run in {result.out} was complete: nothing was left to do.")
    speed, seconds = result.tokens_per_s, result.seconds
    print(f"final val_loss={result.val_loss:.4f} tokens_per_s={speed:.0f} seconds={seconds:.1f}")


@contextlib.contextmanager
def exit_on_interrupt(out: Path, advice: str = "Resume it with the same command and --resume.") -> Iterator[None]:
    """If a signal stops the run in `out`, print how to resume it, and exit with 128 + the signal, as shells expect."""
    from ..train import Interrupted
    from ..train.record import CONFIG

    def message() -> str:  # before or after the steps, where the loop does not handle signals
        return f"interrupted. {advice}" if (out / CONFIG).is_file() else "interrupted before the run started."

    try:
        with saying(message):
            yield
    except Interrupted as stop:
        echo_err(f"{stop}. {advice}")
        raise typer.Exit(128 + stop.signal_number) from None
    except KeyboardInterrupt:
        echo_err(message())
        raise typer.Exit(INTERRUPTED) from None


def was_complete(out: Path) -> bool:
    """Return whether the run in `out` has nothing left to do."""
    from ..train import read_record
    from ..train.run_dir import is_complete

    return is_complete(out, read_record(out))


def use_cores_of(run: Path) -> None:
    """Set up the CPU cores for a run that starts from the one in the folder `run`, before JAX starts."""
    from ..train import read_record
    from ..train.devices import use_cpu_cores_unless_started

    use_cpu_cores_unless_started(batch=read_record(run).config.batch)
