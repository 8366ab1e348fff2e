"""How does a model learn to answer, and to answer as people like it? From conversations, and from pairs of answers.

`learn_answers` is supervised fine-tuning: the loss counts the assistant's words alone. `learn_preferences` is DPO
(Rafailov et al., arXiv 2305.18290): of two answers the better is to become likelier than the worse, more so than it
was for the model that one began with, which stays as a reference.

Both make a task for `train.train`, of a whole model or, given `Lora`, of adapters beside a frozen one.

Axes: N conversations, B batch, T time, V vocabulary.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from .. import nn, ops
from ..data import step_key
from ..models import Transformer
from ..nn import full_precision
from ..text import Tokenizer
from ..train import MakeTask, RunConfig, Task
from ..train.config import DTYPES
from ..train.task import save_model
from . import lora
from .chat_data import Encoded, Pair, Talk, encode_pairs, encode_talks, prepare_chats, with_chat_tokens

Array = jax.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lora:
    """Which layers get adapters, and which ones: see `lora.new_adapters`."""

    pattern: str = "blocks.*"
    rank: int = 8
    alpha: float | None = None
    dora: bool = False


class _Part(NamedTuple):
    """What of a model is trained, and how it becomes a model again."""

    start: Any
    frozen: tuple[Any, ...]
    model: Callable[..., Transformer]
    save: Callable[[Any, Path], None]


def learn_answers(base: Transformer, tokenizer: Tokenizer, talks: Sequence[Talk], how: Lora | None = None) -> MakeTask:
    """A task: `base` learns to write what the assistant says in `talks`, of `chats.read_talks`.

    A tokenizer that lacks the chat format's tokens gets them, and the model rows for them, which are trained too.

    Raises:
      ValueError: no talks to train and to validate with, one that cannot be encoded or has no answer within the
        context, or as `lora.new_adapters`.
    """

    def task(config: RunConfig, out: Path) -> Task:
        chatty = with_chat_tokens(tokenizer)
        part = _part(base, chatty, how, config)
        encoded = encode_talks(chatty, talks, config.context)
        prepared, train, validation = prepare_chats(config.data, talks, encoded, chatty)
        dtype = DTYPES[config.dtype]

        def loss(trained: Any, inputs: Array, targets: Array, counted: Array, *frozen: Any) -> Array:
            logits = nn.cast(part.model(trained, *frozen), dtype)(inputs)
            return nn.cross_entropy(logits, targets, where=counted)

        return Task(
            prepared=prepared,
            **part._asdict(),
            loss=loss,
            data=train,
            draw=functools.partial(_draw, config),
            evaluate=_evaluation(config, validation),
            origin="Fine-tuned on conversations",
        )

    return task


def learn_preferences(
    base: Transformer, tokenizer: Tokenizer, pairs: Sequence[Pair], how: Lora | None = None, beta: float = 0.1
) -> MakeTask:
    """A task: `base` learns which of two answers is better, from `pairs` of `chats.read_pairs`.

    Its validation loss is that of the better answers, in nats per token: not DPO's own.

    Args:
      beta: how hard the model is held to the reference: the larger, the harder.

    Raises:
      ValueError: beta is not positive, or as `learn_answers`.
    """
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta holds the model to its reference, so it is positive, such as 0.1, and not {beta}.")

    def task(config: RunConfig, out: Path) -> Task:
        chatty = with_chat_tokens(tokenizer)
        part = _part(base, chatty, how, config)
        reference = part.model(part.start, *part.frozen)
        better, worse = encode_pairs(chatty, pairs, config.context)
        prepared, train, validation = prepare_chats(config.data, [p.better for p in pairs], better, chatty)
        rows = len(train.ids)
        data = Encoded(*(jnp.stack([a, b[:rows]], axis=1) for a, b in zip(train, worse, strict=True)))  # (N, 2, T + 1)
        dtype = DTYPES[config.dtype]

        def loss(trained: Any, inputs: Array, targets: Array, counted: Array, *frozen: Any) -> Array:
            *others, reference = frozen
            ours = answer_log_probs(nn.cast(part.model(trained, *others), dtype), inputs, targets, counted)
            theirs = answer_log_probs(nn.cast(reference, dtype), inputs, targets, counted)
            return ops.mean(dpo_loss(ours, theirs, beta))

        return Task(
            prepared=prepared,
            start=part.start,
            frozen=(*part.frozen, reference),
            model=lambda trained, *frozen: part.model(trained, *frozen[:-1]),
            save=part.save,
            loss=loss,
            data=data,
            draw=functools.partial(_draw, config),
            evaluate=_evaluation(config, validation),
            origin="Tuned to preferences",
        )

    return task


def dpo_loss(ours: Array, reference: Array, beta: float) -> Array:
    """-log sigmoid(beta ((ours - reference of the better) - (ours - reference of the worse))), (B,), in nats.

    Log-probabilities (B, 2) of the better and the worse answer. Equation 7 of Rafailov et al.
    """
    gain = ours - reference
    return -ops.log_sigmoid(beta * (gain[:, 0] - gain[:, 1]))


def answer_log_probs(model: Transformer, inputs: Array, targets: Array, counted: Array) -> Array:
    """The log-probability (B, 2) of each of two answers: the sum over its tokens, where `counted` (B, 2, T)."""
    B, _, T = inputs.shape
    losses = ops.cross_entropy(full_precision(model(inputs.reshape(-1, T))), targets.reshape(-1, T))
    return -ops.sum(ops.where(counted, ops.reshape(losses, (B, 2, T)), 0), axis=-1)


def _draw(config: RunConfig, data: Encoded, step: Array) -> tuple[Array, Array, Array]:
    """Inputs, targets, and which targets count, of conversations drawn by the step's number."""
    rows = jax.random.randint(step_key(config.seed, step), (config.batch,), 0, len(data.ids))
    ids, mask = data.ids[rows], data.mask[rows]
    return ids[..., :-1], ids[..., 1:], mask[..., 1:]


def _evaluation(config: RunConfig, data: Encoded) -> Callable[[Transformer, Mesh, int | None], float]:
    """The mean loss of the answers in `data`: of all, or of the first conversations with about so many tokens."""

    @jax.jit
    def sums(model: Transformer, ids: Array, mask: Array) -> tuple[Array, Array]:
        losses = ops.cross_entropy(nn.cast(model, DTYPES[config.dtype])(ids[:, :-1]), ids[:, 1:])
        return jnp.sum(jnp.where(mask[:, 1:], losses, 0)), jnp.sum(mask[:, 1:])

    def evaluate(model: Transformer, mesh: Mesh, at_most: int | None) -> float:
        rows = len(data.ids) if at_most is None else min(len(data.ids), max(1, at_most // config.context))
        starts = range(0, rows, config.batch)
        here, ids, mask = jax.device_put((model, *data), jax.devices()[0])
        parts = [_padded(config.batch, ids[i : i + config.batch], mask[i : i + config.batch]) for i in starts]
        losses, counts = zip(*(jax.device_get(sums(here, *part)) for part in parts), strict=True)
        return float(np.sum(losses, dtype=np.float64) / np.sum(counts))

    return evaluate


def _padded(batch: int, ids: Array, mask: Array) -> list[Array]:
    """Up to `batch` rows, so that one program serves all; what is added does not count."""
    return [jnp.pad(x, ((0, batch - len(x)), (0, 0))) for x in (ids, mask)]


def _part(base: Transformer, tokenizer: Tokenizer, how: Lora | None, config: RunConfig) -> _Part:
    """All of the model, or adapters beside it, with rows for the ids of `tokenizer` that it does not know."""
    key = jax.random.key(config.seed)
    rows = new_rows(key, base, tokenizer.vocab_size - base.config.vocab)
    if config.context > base.config.context:
        raise ValueError(
            f"the model reads {base.config.context} tokens, and not {config.context}: give a context of at most that."
        )
    if how is None:
        if not all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in jax.tree.leaves(base)):
            raise ValueError("a quantized model cannot be trained as a whole: train adapters beside it (Lora, --lora).")
        return _Part(lora.merge(lora.attach(base, rows)) if rows else base, (), lambda model: model, save_model)
    made = lora.new_adapters(key, base, how.pattern, rank=how.rank, alpha=how.alpha, dora=how.dora)
    if both := made.keys() & rows.keys():
        raise ValueError(
            f"the pattern {how.pattern!r} names {', '.join(both)}, which learns rows for new ids and takes no adapter"
            " beside: name other layers, such as 'blocks.*'."
        )
    return _Part(
        made | rows,
        (base,),
        lambda adapters, base: lora.attach(base, adapters),
        lambda adapters, out: lora.save_adapters(adapters, out / lora.ADAPTER),
    )


def new_rows(key: Array, model: Transformer, count: int) -> lora.Adapters:
    """Vectors for `count` new ids, about as the others of the table, and of the last layer: near their mean, each one
    different. Raises ValueError if the tokenizer has fewer ids than the model."""
    if count < 0:
        raise ValueError(
            f"the tokenizer has {-count} ids fewer than the model knows: give the one it was trained with."
        )
    tables = {lora.TOKEN: lora.dense(model.token)} | ({lora.HEAD: lora.dense(model.head).T} if model.head else {})
    return {
        path: lora.Rows(table.mean(axis=0) + 0.5 * table.std() * jax.random.normal(key, (count, table.shape[1])))
        for path, table in tables.items()
        if count
    }
