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

from .._numbers import check_whole
from .._types import Array, Key
from ..models import LanguageModel
from ..nn.hooks import first_nonfinite_output
from ..nn.init import check_key
from .sample import Sampler, as_pytrees, sample


def generate_naive(
    model: LanguageModel, ids: Any, tokens: int, *, key: Key, samplers: Sequence[Sampler] = (), stop: int | None = None
) -> Integer[np.ndarray, "B N"]:
    """Return the same tokens as `generate`, slowly."""
    text, tokens, stop = check_request(model, ids, tokens, key, stop)
    functions, stopped = as_pytrees(samplers), np.zeros(len(text), bool)
    for i in range(tokens):
        new = np.asarray(_sample(jax.random.fold_in(key, i), _next_logits(model, text), functions))
        new = np.where(stopped, text[:, -1], new)  # The last token of a row that has stopped is `stop`.
        check_tokens(new[:, None], model, text, functions)
        text = np.concatenate([text, new[:, None]], axis=1)
        stopped |= new == stop
        if stopped.all():
            break
    return text[:, np.shape(ids)[1] :]


def _next_logits(model: LanguageModel, text: np.ndarray) -> Array:
    """Return the logits (B, V) of the token that follows the text (B, T)."""
    seen = text[:, window_start(text.shape[1], model.config.context) :]
    return _forward(model, pad_to(seen, model.config.context))[:, seen.shape[1] - 1]


def _call(model: LanguageModel, ids: Array) -> Array:
    return model(ids)


_forward, _sample = jax.jit(_call), jax.jit(sample)


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


def check_tokens(new: np.ndarray, model: LanguageModel, text: np.ndarray, samplers: Sequence[Sampler]) -> None:
    """Raise FloatingPointError if `new` (B, n), sampled after the text (B, T), has an id -1. The message says why."""
    if (new >= 0).all():
        return
    i = int((new < 0).any(axis=0).argmax())  # the first token that failed, and the first row in which it did
    row = int((new[:, i] < 0).argmax())
    text = np.concatenate([text, new[:, :i]], axis=1)[row : row + 1]
    logits = [_next_logits(model, text)]
    for sampler in samplers:
        logits.append(sampler(logits[-1]))
    at_fault = next((n for n, x in enumerate(logits) if not np.isfinite(x.max())), None)
    if at_fault:
        cause = f"samplers[{at_fault - 1}] leaves no token with a finite logit"
    else:
        seen = text[:, window_start(text.shape[1], model.config.context) :]
        layer, _ = first_nonfinite_output(_call, model, pad_to(seen, model.config.context))
        cause = f"the first layer whose output is not finite is {layer}" if layer else "their cache is not finite"
        cause += ". Take an earlier checkpoint, or train with a lower learning rate"
    raise FloatingPointError(f"no token can follow token {text.shape[1]} of row {row}, prompt included: {cause}.")


def check_request(
    model: LanguageModel, ids: Any, tokens: int, key: Key, stop: int | None
) -> tuple[Integer[np.ndarray, "B T"], int, int]:
    """Return the prompts as an int32 array (B, T), the number of tokens, and the id to stop at, -2 for none.

    Raises:
      TypeError: `key` is not a random key.
      ValueError: the ids are not whole numbers (B, T), T is 0, an id is outside the vocabulary, or `tokens` is below 1.
    """
    check_key(key)
    tokens = check_whole("tokens", tokens)
    stop = -2 if stop is None else check_whole("stop", stop, 0, model.config.vocab - 1)
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
    return text.astype(np.int32), tokens, stop
