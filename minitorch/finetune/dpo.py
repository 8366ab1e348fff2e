"""Direct preference optimization (DPO): a model learns to prefer one of two answers.

The chosen answer shall become more likely relative to the rejected one than it is for the base model, which stays as
the frozen reference. Rafailov et al., arXiv 2305.18290.

Axes: N conversations, B batch, T time.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import jax.numpy as jnp

from .. import nn, ops
from .._numbers import check_real
from ..nn import at_least_float32
from ..train import RunConfig, Task, TaskFactory
from ..train.config import DTYPES
from .chat_data import Encoded, PreferencePair, encode_preferences, prepare_conversations, with_chat_tokens
from .sft import evaluation, get_batch
from .trainable import LoRAConfig, make_trainable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .._types import Array, PyTree
    from ..models import Transformer
    from ..text import Tokenizer


def dpo(
    base: Transformer,
    tokenizer: Tokenizer,
    pairs: Sequence[PreferencePair],
    lora: LoRAConfig | None = None,
    beta: float = 0.1,
) -> TaskFactory:
    """Return the task of training `base` to prefer the chosen answers, for `train.train`.

    The validation loss is the cross entropy of the chosen answers in nats per token, and not the loss of DPO.

    Args:
      base: the model to start from, and the reference.
      tokenizer: the tokenizer of `base`.
      pairs: what `chat_data.read_preferences` returns; the last tenth is for validation.
      lora: train adapters with these settings; by default, the whole model.
      beta: the strength of the KL penalty that keeps the model near the reference.

    Raises:
      ValueError: beta is not positive, or as `sft`.
    """
    beta = check_real("beta", beta, lambda b: 0 < b < float("inf"), "a positive number, such as 0.1")

    def task(config: RunConfig, out: Path) -> Task:
        chat_tokenizer = with_chat_tokens(tokenizer)
        trainable = make_trainable(base, chat_tokenizer, lora, config)
        reference = trainable.model(trainable.start, *trainable.frozen)
        chosen, rejected = encode_preferences(chat_tokenizer, pairs, config.context)
        conversations = [pair.chosen for pair in pairs]
        prepared, train, validation = prepare_conversations(config.data, conversations, chosen, chat_tokenizer)
        rows = len(train.ids)
        data = Encoded(*(jnp.stack([c, r[:rows]], axis=1) for c, r in zip(train, rejected, strict=True)))  # (N, 2, T+1)
        dtype = DTYPES[config.dtype]

        def loss(trained: PyTree, inputs: Array, targets: Array, counted: Array, *frozen: PyTree) -> Array:
            *others, reference = frozen
            model = nn.cast(trainable.model(trained, *others), dtype)
            ours = answer_log_probs(model, inputs, targets, counted)
            theirs = answer_log_probs(nn.cast(reference, dtype), inputs, targets, counted)
            return ops.mean(dpo_loss(ours, theirs, beta))

        return Task(
            prepared=prepared,
            start=trainable.start,
            frozen=(*trainable.frozen, reference),
            model=lambda trained, *frozen: trainable.model(trained, *frozen[:-1]),
            save=trainable.save,
            loss=loss,
            data=data,
            get_batch=functools.partial(get_batch, config),
            evaluate=evaluation(config, validation),
            origin="Tuned to preferences",
        )

    return task


def dpo_loss(model: Array, reference: Array, beta: float) -> Array:
    """Return -log sigmoid(beta ((model - reference of the chosen) - (model - reference of the rejected))): (B,), nats.

    Log-probabilities (B, 2) of the chosen and the rejected answer. Equation 7 of Rafailov et al.
    """
    gain = model - reference
    return -ops.log_sigmoid(beta * (gain[:, 0] - gain[:, 1]))


def answer_log_probs(model: Transformer, inputs: Array, targets: Array, counted: Array) -> Array:
    """Return the log-probability (B, 2) of each of two answers: the sum over its tokens, where `counted` (B, 2, T)."""
    B, _, T = inputs.shape
    losses = ops.cross_entropy(at_least_float32(model(inputs.reshape(-1, T))), targets.reshape(-1, T))  # (2B, T)
    return -ops.sum(ops.where(counted, ops.reshape(losses, (B, 2, T)), 0), axis=-1)
