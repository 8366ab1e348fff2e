"""`minitorch train`: a text in, a run's folder out."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .devices import use_cores
from .progress import progress, echo_err

if TYPE_CHECKING:
    from ..train import RunConfig, Sink

Model = StrEnum("Model", ["gpt", "llama"])
Optimizer = StrEnum("Optimizer", ["adamw", "lion", "muon", "adafactor"])
Dtype = StrEnum("Dtype", ["float32", "bfloat16"])
Tracker = StrEnum("Tracker", ["mlflow", "wandb"])


def _option(text: str) -> Any:
    return typer.Option(help=text)


def train(
    given: typer.Context,
    out: Annotated[Path, _option("Folder for everything about the run.")],
    data: Annotated[
        str | None, _option("A text, .jsonl or .parquet file, or stdlib, stdlib-docstrings, hf:NAME.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, with its settings.")] = False,
    track: Annotated[Tracker | None, _option("Log to MLflow or Weights & Biases as well, on this machine.")] = None,
    field: Annotated[str, _option("Which field of JSON Lines or Parquet rows holds the text.")] = "text",
    limit: Annotated[int | None, _option("Use only so many characters, from the start.")] = None,
    tokenizer: Annotated[str, _option("char, byte, or bpe:N with N token ids.")] = "char",
    model: Annotated[Model, _option("Which kind of transformer.")] = Model.gpt,
    layers: Annotated[int, _option("Blocks of attention and feed-forward.")] = 4,
    heads: Annotated[int, _option("Attention heads in a layer; they must divide the width.")] = 4,
    kv_heads: Annotated[int | None, _option("Key/value heads of llama, each shared by several heads.")] = None,
    width: Annotated[int, _option("Numbers per token between layers.")] = 128,
    context: Annotated[int, _option("Tokens that the model reads at once.")] = 64,
    batch: Annotated[int, _option("Windows of text in one step, over all devices.")] = 12,
    steps: Annotated[int, _option("Updates of the weights.")] = 2000,
    optimizer: Annotated[Optimizer, _option("How the weights move.")] = Optimizer.adamw,
    lr: Annotated[float, _option("Peak learning rate; muon wants about 2e-2, lion 3e-4.")] = 1e-3,
    warmup: Annotated[
        int | None, _option("Steps up to the peak; if not given 100, or a tenth of a shorter run.")
    ] = None,
    weight_decay: Annotated[float, _option("Pull of the matrices towards zero.")] = 0.1,
    clip: Annotated[float, _option("Largest norm of a gradient; 0 for no limit.")] = 1.0,
    seed: Annotated[int, _option("First weights and batches follow from it.")] = 0,
    dtype: Annotated[Dtype, _option("Numbers to compute with; weights are always float32.")] = Dtype.float32,
    eval_every: Annotated[int, _option("Steps between two looks at the validation loss.")] = 250,
    checkpoint_every: Annotated[int, _option("Steps between two checkpoints.")] = 250,
) -> None:
    """Train a language model on a text. The last line says `final val_loss=... tokens_per_s=... seconds=...`."""
    if data is None and not resume:
        advice = "give a file or a name to learn from, such as --data stdlib."
        raise typer.BadParameter(advice, given, param_hint="'--data'")
    from ..train import train

    config, devices = _settings(given, out, resume)
    use_cores(config.batch, devices)
    try:
        with progress(config.steps) as bar, _tracker(track, out, config) as others:
            result = train(config, out, resume=resume, sinks=[bar, *others])
    except KeyboardInterrupt as stop:
        raise _stopped(stop, out) from None
    speed, seconds = result.tokens_per_s, result.seconds
    print(f"final val_loss={result.val_loss:.4f} tokens_per_s={speed:.0f} seconds={seconds:.1f}")


@contextlib.contextmanager
def _tracker(track: Tracker | None, out: Path, config: RunConfig) -> Iterator[list[Sink]]:
    """The sink that was asked for, for a run that is called as its folder."""
    if track is None:
        yield []
        return
    from ..train.tracking import TRACKERS

    with TRACKERS[str(track)](out.resolve().name, dataclasses.asdict(config)) as sink:
        yield [sink]


def _settings(given: typer.Context, out: Path, resume: bool) -> tuple[RunConfig, int | None]:
    """The run's settings and its number of devices. Resuming, what is not given on the command line is as it was."""
    from ..train import RunConfig, read_record

    values: dict[str, Any] = {k: v for k, v in given.params.items() if k not in ("out", "resume", "track")}
    values |= {k: v.value for k, v in values.items() if isinstance(v, StrEnum)}
    if not resume:
        return RunConfig(**values), None
    record = read_record(out)
    typed = {k: v for k, v in values.items() if getattr(given.get_parameter_source(k), "name", "") == "COMMANDLINE"}
    return dataclasses.replace(record.config, **typed), record.provenance.devices


def _stopped(stop: KeyboardInterrupt, out: Path) -> typer.Exit:
    """Say how to go on, and exit as shells expect of a program that a signal ended."""
    from ..train import Interrupted
    from ..train.run_dir import CONFIG

    if (out / CONFIG).is_file():
        how = f"Go on with: minitorch train --out {shlex.quote(str(out))} --resume"
        echo_err(f"{stop if isinstance(stop, Interrupted) else 'interrupted'}. {how}")
    else:
        echo_err("interrupted before the run began.")
    return typer.Exit(128 + (stop.signal_number if isinstance(stop, Interrupted) else 2))
