"""How does a model write? It reads the text, draws a token, appends it, and reads the longer text from the start again.

This is the slow reference: every token costs a pass over all tokens before it. `generate` does the same with a cache,
and a test holds the two equal.

Axes: B batch, T time, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ..models import Transformer
from .sample import Sampler, as_pytrees, draw

Array = jax.Array


def generate_naive(
    model: Transformer,
    ids: Any,
    tokens: int,
    *,
    key: Array,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> np.ndarray:
    """What `generate` returns, slowly."""
    text, functions = check_request(model, ids, tokens), as_pytrees(samplers)
    stopped = np.zeros(len(text), bool)
    for i in range(tokens):
        seen = text[:, window_start(text.shape[1], model.config.context) :]
        logits = _read(model, padded(seen, model.config.context))[:, seen.shape[1] - 1]  # (B, V)
        new = np.asarray(_draw(jax.random.fold_in(key, i), logits, functions))
        new = np.where(stopped, text[:, -1], new)  # The last of a row that stopped is `stop`.
        text = np.concatenate([text, new[:, None]], axis=1)
        stopped |= new == stop
        if stopped.all():
            break
    return text[:, np.shape(ids)[1] :]


@jax.jit
def _read(model: Transformer, ids: Array) -> Array:
    return model(ids)


_draw = jax.jit(draw)


def window_start(length: int, context: int) -> int:
    """The first token that a model still sees of a text of `length` tokens.

    A text within the context is seen whole. When it outgrows it, the older half of the context is forgotten at once,
    and so on after each further half. All keys and values depend on where the window starts, so if it moved by one
    token at a time, a cache would be worth nothing.
    """
    half = max(1, context // 2)
    return -(-max(0, length - context) // half) * half


def padded(ids: np.ndarray, length: int) -> np.ndarray:
    """ids (B, T) and zeros up to `length`: the future changes nothing before it, and one program serves all T."""
    return np.pad(ids, ((0, 0), (0, length - ids.shape[1])))


def check_request(model: Transformer, ids: Any, tokens: int) -> np.ndarray:
    """The prompt as an int32 array (B, T).

    Raises:
      ValueError: the ids are no (B, T) whole numbers, T is 0, an id is outside the vocabulary, or `tokens` is below 1.
    """
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1:
        raise ValueError(f"{tokens} tokens cannot be generated: give a whole number, 1 or more.")
    try:
        text = np.asarray(ids)
    except ValueError:
        raise ValueError(
            "the prompts have different lengths: generate from each by itself, or from prompts of one length."
        ) from None
    if text.ndim != 2 or text.dtype.kind not in "iu":
        raise ValueError(
            f"prompts are whole numbers (B, T), but got {text.dtype} of shape {text.shape}: for one text,"
            " [tokenizer.encode(text)]."
        )
    if not text.size:
        raise ValueError(
            f"a prompt of shape {text.shape} holds no token to start from: give at least one, such as a line break."
        )
    if not 0 <= text.min() <= text.max() < model.config.vocab:
        raise ValueError(
            f"prompt ids run from {text.min()} to {text.max()}, but the model knows 0 to {model.config.vocab - 1}:"
            " encode with the tokenizer that it was trained with."
        )
    return text.astype(np.int32)
