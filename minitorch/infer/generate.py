"""Fast generation. Unlike `naive` it keeps the keys and values of the tokens in a cache, and reads each token once.

Two compiled programs do the work: `prefill` reads a prompt into the cache, and `decode_tokens` samples several tokens
without coming back to Python.

Axes: B batch, T time, N new tokens, V vocabulary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Integer

from .._types import Array, Key
from ..models import Decoder
from ..models.protocol import check_language_model
from ..nn import KVCache
from .naive import check_request, check_tokens, pad_to, window_start
from .sample import Sampler, as_pytrees, sample

TOKENS_PER_DISPATCH = 16  # enough to make Python's share small, few enough to watch the text grow
MIN_PREFILL = 16  # tokens; shorter prompts are padded, since a program of their own would save nothing


def generate(
    model: Decoder, ids: Any, tokens: int, *, key: Key, samplers: Sequence[Sampler] = (), stop: int | None = None
) -> Integer[np.ndarray, "B N"]:
    """Continue prompts of one length, ids (B, T), by `tokens` tokens: int32 (B, tokens), without the prompts.

    A row that has sampled the id `stop` is filled up with it; the result ends where all rows have stopped. The same
    `key` gives the same tokens. When a text outgrows the context, the model sees its latter part: `window_start`.

    Raises:
      FloatingPointError: a token cannot be sampled; the message names the layer or the sampler that is at fault.
      TypeError, ValueError: as `check_request` and `as_pytrees` do.
    """
    return np.concatenate([*stream(model, ids, tokens, key=key, samplers=samplers, stop=stop)], axis=1)


def stream(
    model: Decoder, ids: Any, tokens: int, *, key: Key, samplers: Sequence[Sampler] = (), stop: int | None = None
) -> Iterator[Integer[np.ndarray, "B n"]]:
    """Yield the tokens of `generate` in pieces (B, n) as they are sampled; the first piece is a single token."""
    check_language_model(model, "decode", "init_cache")
    text, tokens, stop = check_request(model, ids, tokens, key, stop)
    return _stream(model, text, tokens, key, as_pytrees(samplers), stop)


def _stream(
    model: Decoder, text: np.ndarray, tokens: int, key: Key, samplers: tuple[Sampler, ...], stop: int
) -> Iterator[np.ndarray]:
    context, done, start, cache = model.config.context, 0, -1, []
    stopped = jnp.zeros(len(text), bool)
    while done < tokens:
        if start != window_start(text.shape[1], context):
            start = window_start(text.shape[1], context)
            seen = text[:, start:]
            cache = prefill(model, pad_to(seen, bucket_length(seen.shape[1], context)), seen.shape[1])
        room = context + 1 - (text.shape[1] - start)
        n = min(TOKENS_PER_DISPATCH if done else 1, tokens - done, room)
        new, n, stopped, cache = decode_tokens(model, cache, text[:, -1], stopped, key, done, n, samplers, stop)
        new = np.asarray(new)[:, : int(n)]
        check_tokens(new, model, text, samplers)
        yield new
        if np.asarray(stopped).all():
            return
        text = np.concatenate([text, new], axis=1)
        done += new.shape[1]


def bucket_length(tokens: int, context: int) -> int:
    """Return the length to pad a prompt to, a power of two or the context, so that few compiled programs serve all."""
    return min(context, max(MIN_PREFILL, 1 << (tokens - 1).bit_length()))


@jax.jit
def prefill(model: Decoder, ids: Integer[Array, "B T"], length: int | Integer[Array, ""]) -> list[KVCache]:
    """Return a cache of the first `length` - 1 tokens of ids (B, T); the next one is the first to be decoded."""
    _, cache = model.decode(ids, model.init_cache(len(ids)))
    return [dataclasses.replace(layer, position=jnp.int32(length - 1)) for layer in cache]


@partial(jax.jit, donate_argnames="cache")
def decode_tokens(
    model: Decoder,
    cache: list[KVCache],
    last: Integer[Array, " B"],
    stopped: Bool[Array, " B"],
    key: Key,
    done: int | Integer[Array, ""],
    n: int | Integer[Array, ""],
    samplers: tuple[Sampler, ...],
    stop: int | Integer[Array, ""],
) -> tuple[Integer[Array, "B N"], Integer[Array, ""], Bool[Array, " B"], list[KVCache]]:
    """Sample at most `n` tokens after the token `last` (B,), in one dispatch.

    `done` tokens were sampled before: the key of each token follows from its index alone.

    Returns:
      The tokens (B, TOKENS_PER_DISPATCH), the number of them that were sampled, `stopped` (B,), and the cache.
    """

    def unfinished(carry: Any) -> Array:
        i, _, _, stopped, _ = carry
        return (i < n) & ~stopped.all()

    def decode_one(carry: Any) -> Any:
        i, last, new, stopped, cache = carry
        logits, cache = model.decode(last[:, None], cache)  # (B, 1, V)
        token = sample(jax.random.fold_in(key, done + i), logits[:, 0], samplers)  # (B,)
        token = jnp.where(stopped, stop, token)
        return i + 1, token, new.at[:, i].set(token), stopped | (token == stop), cache

    new = jnp.zeros((len(last), TOKENS_PER_DISPATCH), jnp.int32)
    i, _, new, stopped, cache = jax.lax.while_loop(unfinished, decode_one, (0, last, new, stopped, cache))
    return new, i, stopped, cache
