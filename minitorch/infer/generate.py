"""How does a model write fast? Unlike `naive` it keeps the keys and values of what it read, and reads each token once.

Two compiled programs do it all: one reads a prompt into the cache, the other draws token after token without coming
back to Python.

Axes: B batch, T time, V vocabulary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..models import Transformer
from ..nn import KVCache
from .naive import check_request, padded, window_start
from .sample import Sampler, as_pytrees, draw

Array = jax.Array
DRAWN_AT_ONCE = 16  # tokens in one dispatch: enough to make Python's share small, few enough to watch them come
SHORTEST_READ = 16  # tokens; shorter prompts are padded, for a program of its own would save nothing


def generate(
    model: Transformer,
    ids: Any,
    tokens: int,
    *,
    key: Array,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> np.ndarray:
    """Continue prompts of one length, ids (B, T), by `tokens` tokens: int32 (B, tokens), without the prompts.

    A row that has drawn the id `stop` is filled up with it; when all rows have, the result ends there. The same `key`
    gives the same tokens. Of a text that outgrows its context, the model sees the latter part: `window_start`.

    Raises:
      ValueError: as `check_request` does.
    """
    return np.concatenate([*stream(model, ids, tokens, key=key, samplers=samplers, stop=stop)], axis=1)


def stream(
    model: Transformer,
    ids: Any,
    tokens: int,
    *,
    key: Array,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> Iterator[np.ndarray]:
    """What `generate` returns, in pieces (B, n) as they are drawn; the first is a single token."""
    text = check_request(model, ids, tokens)
    return _stream(model, text, tokens, key, as_pytrees(samplers), -1 if stop is None else stop)


def _stream(
    model: Transformer, text: np.ndarray, tokens: int, key: Array, samplers: tuple[Sampler, ...], stop: int
) -> Iterator[np.ndarray]:
    context, made, start, cache = model.config.context, 0, -1, []
    stopped = jnp.zeros(len(text), bool)
    while made < tokens:
        if start != window_start(text.shape[1], context):
            start = window_start(text.shape[1], context)
            seen = text[:, start:]
            cache = read(model, padded(seen, program_length(seen.shape[1], context)), seen.shape[1])
        room = context + 1 - (text.shape[1] - start)
        n = min(DRAWN_AT_ONCE if made else 1, tokens - made, room)
        new, n, stopped, cache = _draw_some(model, cache, text[:, -1], stopped, key, made, n, samplers, stop)
        new = np.asarray(new)[:, : int(n)]
        yield new
        if np.asarray(stopped).all():
            return
        text = np.concatenate([text, new], axis=1)
        made += new.shape[1]


def program_length(tokens: int, context: int) -> int:
    """Prompts are padded to a power of two, or to the context, so that a few compiled programs serve all lengths."""
    return min(context, max(SHORTEST_READ, 1 << (tokens - 1).bit_length()))


@jax.jit
def read(model: Transformer, ids: Array, length: int | Array) -> list[KVCache]:
    """A cache of the first `length` tokens of ids (B, T) but the last, which is the first to be decoded."""
    _, cache = model.decode(ids, model.init_cache(len(ids)))
    return [dataclasses.replace(layer, position=jnp.int32(length - 1)) for layer in cache]


@partial(jax.jit, donate_argnames="cache")
def _draw_some(
    model: Transformer,
    cache: list[KVCache],
    last: Array,
    stopped: Array,
    key: Array,
    made: int | Array,
    n: int | Array,
    samplers: tuple[Sampler, ...],
    stop: int | Array,
) -> tuple[Array, Array, Array, list[KVCache]]:
    """At most `n` tokens after the token `last` (B,), in an array (B, DRAWN_AT_ONCE); how many they are; the new state.

    `made` tokens were drawn before: the key of each token follows from its number alone.
    """

    def unfinished(carry: Any) -> Array:
        i, _, _, stopped, _ = carry
        return (i < n) & ~stopped.all()

    def one(carry: Any) -> Any:
        i, last, new, stopped, cache = carry
        logits, cache = model.decode(last[:, None], cache)  # (B, 1, V)
        token = draw(jax.random.fold_in(key, made + i), logits[:, 0], samplers)
        token = jnp.where(stopped, stop, token)
        return i + 1, token, new.at[:, i].set(token), stopped | (token == stop), cache

    new = jnp.zeros((len(last), DRAWN_AT_ONCE), jnp.int32)
    i, _, new, stopped, cache = jax.lax.while_loop(unfinished, one, (0, last, new, stopped, cache))
    return new, i, stopped, cache
