"""`minitorch train`: train a model on a text, and write the run's folder."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .derived_run import exit_on_interrupt, print_result, was_complete
from .options import Field, Limit, TextSource, option
from .progress import training_progress

if TYPE_CHECKING:
    from ..train import RunConfig, Sink

Model = StrEnum("Model", ["gpt", "llama"])
Optimizer = StrEnum("Optimizer", ["adamw", "lion", "muon", "adafactor"])
Dtype = StrEnum("Dtype", ["float32", "bfloat16"])
Tracker = StrEnum("Tracker", ["mlflow", "wandb"])


def train(
    ctx: typer.Context,
    out: Annotated[Path, option("Folder for the run; it must be empty or new, unless the run is resumed.")],
    data: Annotated[str | None, option(f"Training text: {TextSource}.")] = None,
    resume: Annotated[bool, option("Resume the run in --out, with its settings.", "--resume")] = False,
    track: Annotated[Tracker | None, option("Also log to MLflow or Weights & Biases, on this machine.")] = None,
    field: Field = "text",
    limit: Limit = None,
    tokenizer: Annotated[str, option("Tokenizer: char, byte, or bpe:N with N token ids.")] = "char",
    model: Annotated[Model, option("Model architecture.")] = Model.gpt,
    layers: Annotated[int, option("Number of transformer layers.")] = 4,
    heads: Annotated[int, option("Attention heads per layer; they must divide the width.")] = 4,
    kv_heads: Annotated[int | None, option("Key/value heads per layer (llama); by default as many as --heads.")] = None,
    width: Annotated[int, option("Model width: entries per hidden state.")] = 128,
    context: Annotated[int, option("Context length in tokens.")] = 64,
    batch: Annotated[int, option("Batch size: sequences of --context tokens per step, over all devices.")] = 12,
    steps: Annotated[int, option("Number of updates.")] = 2000,
    optimizer: Annotated[Optimizer, option("Optimizer.")] = Optimizer.adamw,
    lr: Annotated[float, option("Peak learning rate; use about 2e-2 for muon, 3e-4 for lion.")] = 1e-3,
    warmup: Annotated[
        int | None, option("Warm-up in steps; by default 100, or a tenth of the steps if that is less.")
    ] = None,
    weight_decay: Annotated[float, option("Weight decay of matrices.")] = 0.1,
    clip: Annotated[float, option("Largest gradient norm; 0 for no limit.")] = 1.0,
    seed: Annotated[int, option("Random seed of the initial weights and batches, 0 to 2**32 - 1.")] = 0,
    dtype: Annotated[Dtype, option("Dtype of the computation; weights are always float32.")] = Dtype.float32,
    eval_every: Annotated[int, option("Steps between two evaluations of the validation loss.")] = 250,
    checkpoint_every: Annotated[int, option("Steps between two checkpoints.")] = 250,
) -> None:
    """Train a language model on a text. The last line is `final val_loss=... tokens_per_s=... seconds=...`."""
    if data is None and not resume:
        advice = "give a file or a name, such as --data stdlib."
        raise typer.BadParameter(advice, ctx, param_hint="'--data'")
    from ..train import train
    from ..train.devices import use_cpu_cores_unless_started

    config, devices = _settings(ctx, out, resume)
    use_cpu_cores_unless_started(devices, batch=config.batch)
    advice = f"Resume it with: minitorch train --out {shlex.quote(str(out))} --resume"
    complete = resume and was_complete(out)
    with exit_on_interrupt(out, advice), training_progress(config.steps) as bar, _tracker(track, out, config) as others:
        result = train(config, out, resume=resume, sinks=[bar, *others])
    print_result(result, complete)


@contextlib.contextmanager
def _tracker(track: Tracker | None, out: Path, config: RunConfig) -> Iterator[list[Sink]]:
    """Yield the sink that --track names, for a run with the name of its folder."""
    if track is None:
        yield []
        return
    from ..train.tracking import TRACKERS

    with TRACKERS[str(track)](out.resolve().name, dataclasses.asdict(config)) as sink:
        yield [sink]


def _settings(ctx: typer.Context, out: Path, resume: bool) -> tuple[RunConfig, int | None]:
    """Return the settings and the number of devices; a resumed run keeps settings that are not on the command line."""
    from ..train import RunConfig, read_record

    values: dict[str, Any] = {k: v for k, v in ctx.params.items() if k not in ("out", "resume", "track")}
    values |= {k: v.value for k, v in values.items() if isinstance(v, StrEnum)}
    if not resume:
        return RunConfig(**values), None
    record = read_record(out)
    typed = {k: v for k, v in values.items() if getattr(ctx.get_parameter_source(k), "name", "") == "COMMANDLINE"}
    return dataclasses.replace(record.config, **typed), record.provenance.devices
