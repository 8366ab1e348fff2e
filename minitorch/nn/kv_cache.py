"""The keys and values of earlier tokens, so that generation computes each of them once."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from .. import ops
from .._types import Array
from .module import Module
from .precision import at_least_float32

KV_BLOCK = 64  # tokens: few enough to leave little of the last block unread, enough to repay a matrix product


class KVCache(Module):
    """The keys and values of the tokens so far, in arrays of fixed length, so that one compiled step serves all tokens.

    They are stored in N blocks of b tokens, each block contiguous, so that a step reads only blocks that are written.
    The caller must not append more than N b tokens: the additional ones are lost.
    """

    k: Float[Array, "N B K b d"]
    v: Float[Array, "N B K b d"]
    position: Int[Array, ""]  # the number of tokens in the cache, and the position of the next token

    @classmethod
    def init(cls, batch: int, length: int, kv_heads: int, head_size: int, dtype: Any = jnp.float32) -> KVCache:
        """Return an empty cache for at least `length` tokens: the last block is a whole one."""
        size = min(KV_BLOCK, length)
        shape = (-(-length // size), batch, kv_heads, size, head_size)  # (N, B, K, b, d)
        return cls(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype), jnp.zeros((), jnp.int32))

    def append(self, k: Float[Array, "B T K d"], v: Float[Array, "B T K d"]) -> KVCache:
        """Return the cache with the keys and values of the next T tokens."""
        block, place = jnp.divmod(self.position + jnp.arange(k.shape[1]), self.k.shape[3])  # (T,), (T,)

        def write(old: Array, new: Array) -> Array:
            return old.at[block, :, :, place].set(jnp.moveaxis(new, 1, 0).astype(old.dtype))  # (T, B, K, d)

        return KVCache(write(self.k, k), write(self.v, v), self.position + k.shape[1])

    def attend(self, q: Float[Array, "B T H d"]) -> Float[Array, "B T H d"]:
        """Return the attention of the last T tokens, with queries `q`, to all tokens up to themselves.

        A CPU reads block by block and stops at the last token. On other devices one large product costs less than
        several small ones, so the whole cache is read at once.
        """
        return jax.lax.platform_dependent(q, self, cpu=attend_blockwise, default=attend_dense)


def attend_dense(q: Float[Array, "B T H d"], cache: KVCache) -> Float[Array, "B T H d"]:
    """Compute `KVCache.attend` in one product with the whole cache, with a mask over the part that is not written."""
    B, T, _, d = q.shape
    k, v = (
        jnp.moveaxis(x, (1, 2), (0, 3)).reshape(B, -1, cache.k.shape[2], d) for x in (cache.k, cache.v)
    )  # (B, Nb, K, d)
    seen = jnp.arange(k.shape[1]) <= (cache.position - T + jnp.arange(T))[:, None]  # (T, Nb)
    return ops.attention(q, k, v, mask=seen[None, None])


def attend_blockwise(q: Float[Array, "B T H d"], cache: KVCache) -> Float[Array, "B T H d"]:
    """Compute `KVCache.attend` block by block. The running sums are rescaled whenever a greater score appears.

    Source: Milakov and Gimelshein, arXiv 1805.02867.
    """
    (B, T, H, d), (_, _, K, size, _) = q.shape, cache.k.shape
    groups = jnp.moveaxis(q.reshape(B, T, K, H // K, d), 1, 3)  # (B, K, H/K, T, d)
    columns = (groups / math.sqrt(d)).reshape(B, K, -1, d).mT  # (B, K, d, R), R = H/K T
    last = jnp.tile(cache.position - T + jnp.arange(T), H // K)[:, None]  # (R, 1): the last position that a row sees

    def read(i: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        highest, total, y = state  # (B, K, R, 1), (B, K, R, 1), (B, K, R, d)
        scores = at_least_float32(cache.k[i] @ columns).mT  # (B, K, R, b)
        scores = jnp.where(i * size + jnp.arange(size) <= last, scores, -jnp.inf)
        higher = jnp.maximum(highest, scores.max(axis=-1, keepdims=True))
        weights, shrink = jnp.exp(scores - higher), jnp.exp(highest - higher)
        total = total * shrink + weights.sum(axis=-1, keepdims=True)
        return higher, total, y * shrink + at_least_float32(weights.astype(cache.v.dtype) @ cache.v[i])

    def filled(value: float, width: int) -> Array:
        return jnp.full((B, K, columns.shape[3], width), value, at_least_float32(q).dtype)

    blocks = (cache.position + size - 1) // size
    _, total, y = jax.lax.fori_loop(0, blocks, read, (filled(-jnp.inf, 1), filled(0, 1), filled(0, d)))
    return jnp.moveaxis((y / total).astype(q.dtype).reshape(groups.shape), 3, 1).reshape(q.shape)  # (B, T, H, d)
