"""What do the steps of a run do? By default they teach a new model the next token; a task says otherwise.

A task may begin with another model, train a part of it beside weights that stay frozen, read other data, or ask for
another loss: distillation, fine-tuning and adapters are tasks, and all run in the one loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from .. import nn
from ..models import Transformer
from ..nn import paths
from ..text import Tokenizer
from .config import DTYPES, RunConfig
from .evaluate import mean_loss
from .layout import WEIGHTS
from .prepare import Prepared, draw, prepare


def _itself(trained: Any, *frozen: Any) -> Any:
    return trained


def save_model(trained: Transformer, out: Path) -> None:
    """Write the weights of a model that is trained as a whole."""
    paths.save_safetensors(trained, out / WEIGHTS)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a run trains, on what, and how it is judged.

    Args:
      prepared: the data, with its papers.
      start: the weights to train: a model, or any tree of floating-point arrays.
      loss: `loss(trained, *batch, *frozen) -> scalar`, the mean over the batch.
      data: arrays on the device, from which `draw(data, step) -> batch` takes arrays (B, ...).
      evaluate: `evaluate(model, mesh, at_most) -> nats` per validation token, of about so many, or of all for None.
      frozen: what the loss reads and nobody trains.
      model: `model(trained, *frozen)` is the model that comes out.
      save: writes `trained` into the run's folder.
      origin: how the model came about, for its card.
    """

    prepared: Prepared
    start: Any
    loss: Callable[..., Any]
    data: Any
    draw: Callable[[Any, Any], tuple[Any, ...]]
    evaluate: Callable[[Any, Mesh, int | None], float]
    frozen: tuple[Any, ...] = ()
    model: Callable[..., Transformer] = _itself
    save: Callable[[Any, Path], None] = save_model
    origin: str = "Trained from scratch"


MakeTask = Callable[[RunConfig, Path], Task]
"""Given the settings and the folder of a run, what it does. The folder may hold a tokenizer already."""


def language_modelling(config: RunConfig, out: Path, tokenizer: Tokenizer | None = None) -> Task:
    """A new model learns to predict the next token of the text that `config` names. Raises as `prepare` does."""
    prepared = prepare(config, out, tokenizer)
    return predict_next(config, prepared, config.init_model(prepared.tokenizer.vocab_size))


def predict_next(config: RunConfig, prepared: Prepared, model: Transformer) -> Task:
    """The model `model` learns to predict the next token."""
    dtype = DTYPES[config.dtype]

    def loss(model: Transformer, inputs: Any, targets: Any) -> Any:
        return nn.cross_entropy(nn.cast(model, dtype)(inputs), targets)

    def evaluate(model: Transformer, mesh: Mesh, at_most: int | None) -> float:
        return mean_loss(model, prepared.validation, config.batch, dtype=dtype, mesh=mesh, at_most=at_most)

    return Task(
        prepared=prepared,
        start=model,
        loss=loss,
        data=prepared.train,
        draw=functools.partial(draw, config),
        evaluate=evaluate,
    )
