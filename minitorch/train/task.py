"""Tasks: what the steps of a run train, and on which loss. By default, a new model learns to predict the next token.

A task may start from another model, train a part of it while the other weights stay frozen, read other data, or use
another loss. Distillation, fine-tuning and adapters are tasks, and all run in the same loop.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import nn
from ..nn import paths
from .config import DTYPES, RunConfig
from .evaluate import mean_loss
from .prepare import Prepared, get_batch, prepare
from .record import WEIGHTS

if TYPE_CHECKING:
    from jax.sharding import Mesh

    from ..models import LanguageModel
    from ..text import Tokenizer


def save_model(trained: LanguageModel, out: Path) -> None:
    """Write the weights of a model that is trained as a whole."""
    paths.save_safetensors(trained, out / WEIGHTS)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a run trains, on which data and loss, and how it is evaluated.

    Args:
      prepared: the data, with its datasheet and provenance.
      start: the initial weights to train: a model, or any tree of floating-point arrays.
      loss: `loss(trained, *batch, *frozen) -> ()`, the mean over the batch, as for `Step`.
      data: arrays on the device, which `get_batch(data, step) -> batch` reads; a batch is a tuple of arrays (B, ...).
      evaluate: `evaluate(model, mesh, at_most) -> nats`, the mean over about `at_most` validation tokens (None: all).
      frozen: weights that the loss reads and the optimizer does not train.
      model: `model(trained, *frozen)` returns the trained model.
      save: writes `trained` into the run's folder.
      origin: how the model was trained, for its card.
    """

    prepared: Prepared
    start: Any
    loss: Callable[..., Any]
    data: Any
    get_batch: Callable[[Any, Any], tuple[Any, ...]]
    evaluate: Callable[[Any, Mesh, int | None], float]
    frozen: tuple[Any, ...] = ()
    model: Callable[..., LanguageModel] = lambda trained, *frozen: trained
    save: Callable[[Any, Path], None] = save_model
    origin: str = "Trained from scratch"


TaskFactory = Callable[[RunConfig, Path], Task]
"""Builds the task of a run from its settings and its folder, which may already hold a tokenizer."""


def language_modelling(config: RunConfig, out: Path, tokenizer: Tokenizer | None = None) -> Task:
    """Return the task of training a new model to predict the next token of the run's text. Raises as `prepare` does."""
    prepared = prepare(config, out, tokenizer)
    return next_token_task(config, prepared, config.init_model(prepared.tokenizer.vocab_size))


def next_token_task(config: RunConfig, prepared: Prepared, model: LanguageModel) -> Task:
    """Return the task of training `model` to predict the next token."""
    dtype = DTYPES[config.dtype]

    def loss(model: LanguageModel, inputs: Any, targets: Any) -> Any:
        logits = nn.cast(model, dtype)(inputs)  # (B, T) -> (B, T, V)
        return nn.cross_entropy(logits, targets)

    def evaluate(model: LanguageModel, mesh: Mesh, at_most: int | None) -> float:
        return mean_loss(model, prepared.validation, config.batch, dtype=dtype, mesh=mesh, at_most=at_most)

    return Task(
        prepared=prepared,
        start=model,
        loss=loss,
        data=prepared.train,
        get_batch=functools.partial(get_batch, config),
        evaluate=evaluate,
    )
