"""Attention as a layer: every token asks, every earlier token answers, and the best answers weigh most.

The same call trains on a whole text, reads a prompt into a cache, and continues from the cache one token at a time.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from .. import ops
from .init import Initializer, fold_in_name, lecun_normal
from .linear import Linear
from .module import Module, static
from .precision import at_least_float32
from .rope import rope

Array = jax.Array
_LECUN = lecun_normal()


class KVCache(Module):
    """The keys and values of the tokens so far, in arrays of a fixed length, so that one compiled step serves them all.

    They lie in N blocks of b tokens, each block in one piece, so that a step reads those that are written and no more.
    To write more tokens than N b is the caller's mistake, and loses them.
    """

    k: Array  # (N, B, K, b, d)
    v: Array  # (N, B, K, b, d)
    position: Array  # () int32: how many tokens are in it, and the place of the next.

    @classmethod
    def init(cls, batch: int, length: int, kv_heads: int, head_size: int, dtype: Any = jnp.float32) -> KVCache:
        """Empty, for `length` tokens, or what fills the last block."""
        size = min(KV_BLOCK, length)
        shape = (-(-length // size), batch, kv_heads, size, head_size)
        return cls(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype), jnp.zeros((), jnp.int32))

    def append(self, k: Array, v: Array) -> KVCache:
        """With the keys and values (B, T, K, d) of the next T tokens."""
        block, place = jnp.divmod(self.position + jnp.arange(k.shape[1]), self.k.shape[3])

        def write(old: Array, new: Array) -> Array:
            return old.at[block, :, :, place].set(jnp.moveaxis(new, 1, 0).astype(old.dtype))  # (T, B, K, d)

        return KVCache(write(self.k, k), write(self.v, v), self.position + k.shape[1])

    def attend(self, q: Array) -> Array:
        """What the last T tokens, with queries q (B, T, H, d), see of all up to themselves: (B, T, H, d).

        A CPU goes from block to block and stops at the last token. Elsewhere a large product costs less than some small
        ones, so that all is read at once.
        """
        return jax.lax.platform_dependent(q, self, cpu=attend_blockwise, default=attend_dense)


KV_BLOCK = 64  # tokens: few enough to leave little of the last block unread, enough to repay a product


def attend_dense(q: Array, cache: KVCache) -> Array:
    """`KVCache.attend` in one product with all of the cache, of which what is not written yet is masked."""
    B, T, _, d = q.shape
    k, v = (jnp.moveaxis(x, (1, 2), (0, 3)).reshape(B, -1, cache.k.shape[2], d) for x in (cache.k, cache.v))
    seen = jnp.arange(k.shape[1]) <= (cache.position - T + jnp.arange(T))[:, None]  # (T, N b)
    return ops.attention(q, k, v, mask=seen[None, None])


def attend_blockwise(q: Array, cache: KVCache) -> Array:
    """The same block by block. The sums of the softmax are carried along, and shrunk when a greater score appears.

    Milakov and Gimelshein, arXiv 1805.02867.
    """
    (B, T, H, d), (_, _, K, size, _) = q.shape, cache.k.shape
    groups = jnp.moveaxis(q.reshape(B, T, K, H // K, d), 1, 3)  # (B, K, H/K, T, d)
    columns = (groups / math.sqrt(d)).reshape(B, K, -1, d).mT  # (B, K, d, R), R = H/K T
    last = jnp.tile(cache.position - T + jnp.arange(T), H // K)[:, None]  # (R, 1): all up to this one are seen.

    def read(i: Array, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        highest, total, y = state
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
    return jnp.moveaxis((y / total).astype(q.dtype).reshape(groups.shape), 3, 1).reshape(q.shape)


class Attention(Module):
    """Multi-head attention of a text with itself: x (B, T, D) to (B, T, D).

    One product makes the queries of all `heads` and the keys and values of all `kv_heads`; each key head serves
    heads / kv_heads queries (Ainslie et al., arXiv 2305.13245). `rope_base` turns on rotary positions.
    """

    qkv: Linear  # (D, (H + 2K) d): the columns of all queries, then all keys, then all values
    out: Linear  # (H d, D)
    heads: int = static()
    kv_heads: int = static()
    is_causal: bool = static(default=True)
    rope_base: float | None = static(default=None)

    @classmethod
    def init(
        cls,
        key: Array,
        width: int,
        heads: int,
        kv_heads: int | None = None,
        *,
        bias: bool = True,
        is_causal: bool = True,
        rope_base: float | None = None,
        weight_init: Initializer = _LECUN,
        out_init: Initializer | None = None,
    ) -> Attention:
        """`kv_heads` is `heads` and `out_init` is `weight_init` where not given.

        Raises:
          ValueError: the heads do not divide the width, or the key heads the heads.
        """
        kv_heads = kv_heads or heads
        if width % heads or heads % kv_heads:
            raise ValueError(
                f"{heads} heads with {kv_heads} key heads do not fit a width of {width}:"
                " the width must be a multiple of the heads, and the heads a multiple of the key heads."
            )
        columns = (heads + 2 * kv_heads) * (width // heads)
        return cls(
            qkv=Linear.init(fold_in_name(key, "qkv"), width, columns, bias, weight_init),
            out=Linear.init(fold_in_name(key, "out"), width, width, bias, out_init or weight_init),
            heads=heads,
            kv_heads=kv_heads,
            is_causal=is_causal,
            rope_base=rope_base,
        )

    def __call__(self, x: Array, cache: KVCache | None = None) -> tuple[Array, KVCache | None]:
        """Returns `(y, cache)`. With a cache, `x` continues the tokens in it, and the cache comes back longer by T."""
        B, T, _ = x.shape
        H, K = self.heads, self.kv_heads
        q, k, v = ops.split(ops.reshape(self.qkv(x), (B, T, H + 2 * K, -1)), [H, H + K], axis=2)  # (B, T, H or K, d)
        positions = jnp.arange(T) if cache is None else cache.position + jnp.arange(T)
        if self.rope_base is not None:
            q, k = rope(q, positions, self.rope_base), rope(k, positions, self.rope_base)
        if cache is None:
            y = ops.attention(q, k, v, is_causal=self.is_causal)
        else:
            cache = cache.append(k, v)
            y = cache.attend(q)
        return self.out(ops.reshape(y, (B, T, -1))), cache
