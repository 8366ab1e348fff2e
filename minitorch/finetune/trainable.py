"""The part of a model that fine-tuning trains: the whole model, or adapters on a frozen one.

Both get rows for the ids of the tokenizer that the model does not have, such as those of the chat format.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from .._numbers import normalize
from ..train.task import save_model
from . import lora

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .._types import Key, PyTree
    from ..models import Transformer
    from ..text import Tokenizer
    from ..train import RunConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoRAConfig:
    """The settings of adapters, with the meaning that `lora.init_adapters` gives them."""

    pattern: str = "blocks.*"
    rank: int = 8
    alpha: float | None = None
    dora: bool = False

    def __post_init__(self) -> None:
        if problems := normalize(self):
            raise ValueError(f"these adapters are not possible: {'; '.join(problems)}.")


class Trainable(NamedTuple):
    """The fields of a `train.Task` that say what is trained, and how it becomes a model again."""

    start: PyTree
    frozen: tuple[Any, ...]
    model: Callable[..., Transformer]
    save: Callable[[Any, Path], None]


def make_trainable(
    base: Transformer, tokenizer: Tokenizer, lora_config: LoRAConfig | None, config: RunConfig
) -> Trainable:
    """Return the whole model, or adapters on it, with rows for the ids of `tokenizer` that it does not have.

    Raises:
      ValueError: the context is longer than the model's, the model is quantized and to be trained as a whole, a layer
        would get both an adapter and new rows, or as `new_rows` and `lora.init_adapters`.
    """
    key = jax.random.key(config.seed)
    rows = new_rows(key, base, tokenizer.vocab_size - base.config.vocab)
    if config.context > base.config.context:
        raise ValueError(
            f"the model reads {base.config.context} tokens, and not {config.context}: give a context of at most that."
        )
    if lora_config is None:
        if not all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(base)):
            raise ValueError(
                "a quantized model cannot be trained as a whole: train adapters on it (LoRAConfig, or --lora)."
            )
        start = lora.merge(lora.attach(base, rows)) if rows else base
        return Trainable(start, (), lambda model: model, save_model)
    adapters = lora.init_adapters(key, base, **dataclasses.asdict(lora_config))
    if both := adapters.keys() & rows.keys():
        raise ValueError(
            f"the pattern {lora_config.pattern!r} matches {', '.join(both)}, which gets rows for new ids and cannot"
            " take an adapter as well: choose other layers, such as 'blocks.*'."
        )
    return Trainable(
        adapters | rows,
        (base,),
        lambda adapters, base: lora.attach(base, adapters),
        lambda adapters, out: lora.save_adapters(adapters, out / lora.ADAPTER),
    )


def new_rows(key: Key, model: Transformer, count: int) -> lora.Adapters:
    """Return vectors for `count` new ids, of the embedding and the last layer: random, near the mean of the others.

    Raises:
      ValueError: the count is negative, because the tokenizer has fewer ids than the model.
    """
    if count < 0:
        raise ValueError(
            f"the tokenizer has {-count} ids fewer than the model: give the tokenizer that it was trained with."
        )
    tables = {lora.TOKEN: model.token.weight} | ({lora.HEAD: model.head.weight.T} if model.head else {})
    return {
        path: lora.NewRows(table.mean(axis=0) + 0.5 * table.std() * jax.random.normal(key, (count, table.shape[1])))
        for path, table in tables.items()
        if count
    }
