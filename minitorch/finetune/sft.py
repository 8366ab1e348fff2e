"""Supervised fine-tuning (SFT): a model learns to write the assistant's part of conversations.

Axes: N conversations, B batch, T time.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from .. import nn, ops
from ..data import step_key
from ..train import RunConfig, Task, TaskFactory
from ..train.config import DTYPES
from .chat_data import Conversation, Encoded, encode_conversations, prepare_conversations, with_chat_tokens
from .trainable import LoRAConfig, make_trainable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from jax.sharding import Mesh

    from .._types import Array, PyTree
    from ..models import Transformer
    from ..text import Tokenizer


def sft(
    base: Transformer, tokenizer: Tokenizer, conversations: Sequence[Conversation], lora: LoRAConfig | None = None
) -> TaskFactory:
    """Return the task of training `base` to write what the assistant says, for `train.train`.

    A tokenizer without the tokens of the chat format gets them, and the model gets rows for them, which are trained.

    Args:
      base: the model to start from.
      tokenizer: the tokenizer of `base`.
      conversations: what `chat_data.read_conversations` returns; the last tenth is for validation.
      lora: train adapters with these settings; by default, the whole model.

    Raises:
      ValueError: there are fewer than two conversations, one cannot be encoded or has no answer within the context, or
        as `trainable.make_trainable`.
    """

    def task(config: RunConfig, out: Path) -> Task:
        chat_tokenizer = with_chat_tokens(tokenizer)
        trainable = make_trainable(base, chat_tokenizer, lora, config)
        encoded = encode_conversations(chat_tokenizer, conversations, config.context)
        prepared, train, validation = prepare_conversations(config.data, conversations, encoded, chat_tokenizer)
        dtype = DTYPES[config.dtype]

        def loss(trained: PyTree, inputs: Array, targets: Array, counted: Array, *frozen: PyTree) -> Array:
            logits = nn.cast(trainable.model(trained, *frozen), dtype)(inputs)  # (B, T, V)
            return nn.cross_entropy(logits, targets, where=counted)

        return Task(
            prepared=prepared,
            **trainable._asdict(),
            loss=loss,
            data=train,
            get_batch=functools.partial(get_batch, config),
            evaluate=evaluation(config, validation),
            origin="Fine-tuned on conversations",
        )

    return task


def get_batch(config: RunConfig, data: Encoded, step: Array) -> tuple[Array, Array, Array]:
    """Sample the batch of step `step`: inputs, targets, and which targets count, (B, ..., T) each."""
    rows = jax.random.randint(step_key(config.seed, step), (config.batch,), 0, len(data.ids))
    ids, mask = data.ids[rows], data.mask[rows]
    return ids[..., :-1], ids[..., 1:], mask[..., 1:]


def evaluation(config: RunConfig, data: Encoded) -> Callable[[Transformer, Mesh, int | None], float]:
    """Return a function of (model, mesh, at_most): the mean loss of the answers in `data`, in nats per token.

    `at_most` limits the conversations to the first ones with about this many tokens.
    """

    @jax.jit
    def sums(model: Transformer, ids: Array, mask: Array) -> tuple[Array, Array]:
        logits = nn.at_least_float32(nn.cast(model, DTYPES[config.dtype])(ids[:, :-1]))  # (B, T, V)
        losses = ops.cross_entropy(logits, ids[:, 1:])  # (B, T)
        return jnp.sum(jnp.where(mask[:, 1:], losses, 0)), jnp.sum(mask[:, 1:])

    def evaluate(model: Transformer, mesh: Mesh, at_most: int | None) -> float:
        rows = len(data.ids) if at_most is None else min(len(data.ids), max(1, at_most // config.context))
        starts = range(0, rows, config.batch)
        model, ids, mask = jax.device_put((model, *data), jax.devices()[0])
        parts = [_pad_rows(config.batch, ids[i : i + config.batch], mask[i : i + config.batch]) for i in starts]
        losses, counts = zip(*(jax.device_get(sums(model, *part)) for part in parts), strict=True)
        return float(np.sum(losses, dtype=np.float64) / np.sum(counts))

    return evaluate


def _pad_rows(batch: int, ids: Array, mask: Array) -> list[Array]:
    """Pad to `batch` rows, so that one compiled program serves all batches. The mask leaves the padding out."""
    return [jnp.pad(x, ((0, batch - len(x)), (0, 0))) for x in (ids, mask)]
