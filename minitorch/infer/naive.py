"""Slow generation, the reference: read the text, sample a token, append it, and read the longer text from the start.

Every token costs a pass over all tokens before it. `generate` does the same with a cache, and a test holds the two
equal.

Axes: B batch, T time, N new tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Integer

from .._types import Array, Key
from ..models import LanguageModel
from .sample import Sampler, as_pytrees, sample


def generate_naive(
    model: LanguageModel,
    ids: Any,
    tokens: int,
    *,
    key: Key,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> Integer[np.ndarray, "B N"]:
    """Return the same tokens as `generate`, slowly."""
    text, functions = check_request(model, ids, tokens), as_pytrees(samplers)
    stopped = np.zeros(len(text), bool)
    for i in range(tokens):
        seen = text[:, window_start(text.shape[1], model.config.context) :]
        logits = _forward(model, pad_to(seen, model.config.context))[:, seen.shape[1] - 1]  # (B, V)
        new = np.asarray(_sample(jax.random.fold_in(key, i), logits, functions))
        new = np.where(stopped, text[:, -1], new)  # The last token of a row that has stopped is `stop`.
        text = np.concatenate([text, new[:, None]], axis=1)
        stopped |= new == stop
        if stopped.all():
            break
    return text[:, np.shape(ids)[1] :]


@jax.jit
def _forward(model: LanguageModel, ids: Array) -> Array:
    return model(ids)


_sample = jax.jit(sample)


def window_start(length: int, context: int) -> int:
    """Return the index of the first token that a model still sees in a text of `length` tokens.

    It is 0 while the text fits into the context. After that the window drops half a context at a time: all keys and
    values depend on where it starts, so a window that moved with every token would make the cache useless.
    """
    half = max(1, context // 2)
    return -(-max(0, length - context) // half) * half


def pad_to(ids: Integer[np.ndarray, "B T"], length: int) -> Integer[np.ndarray, "B length"]:
    """Pad ids (B, T) on the right with zeros to (B, length).

    Attention is causal, so padding changes no logits before it, and one compiled program serves all T.
    """
    return np.pad(ids, ((0, 0), (0, length - ids.shape[1])))


def check_request(model: LanguageModel, ids: Any, tokens: int) -> Integer[np.ndarray, "B T"]:
    """Return the prompts as an int32 array (B, T).

    Raises:
      ValueError: the ids are not whole numbers (B, T), T is 0, an id is outside the vocabulary, or `tokens` is below 1.
    """
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1:
        raise ValueError(f"{tokens} tokens cannot be generated: give a whole number, 1 or more.")
    try:
        text = np.asarray(ids)
    except ValueError:
        raise ValueError(
            "the prompts have different lengths: generate from each separately, or give prompts of one length."
        ) from None
    if text.ndim != 2 or text.dtype.kind not in "iu":
        raise ValueError(
            f"prompts are whole numbers (B, T), but got {text.dtype} of shape {text.shape}: for one text,"
            " [tokenizer.encode(text)]."
        )
    if not text.size:
        raise ValueError(
            f"a prompt of shape {text.shape} has no token to start from: give at least one, such as a line break."
        )
    if not 0 <= text.min() <= text.max() < model.config.vocab:
        raise ValueError(
            f"prompt ids run from {text.min()} to {text.max()}, but the model knows 0 to {model.config.vocab - 1}:"
            " encode with the tokenizer that it was trained with."
        )
    return text.astype(np.int32)
