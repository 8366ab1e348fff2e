"""Attention as a layer: every token asks, every earlier token answers, and the best answers weigh most.

The same call trains on a whole text, reads a prompt into a cache, and continues from the cache one token at a time.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .. import ops
from .init import Initializer, lecun_normal, named
from .linear import Linear
from .module import Module, static
from .rope import rope

Array = jax.Array
_LECUN = lecun_normal()


class KVCache(Module):
    """The keys and values of the tokens so far, in arrays of a fixed length, so that one compiled step serves them all.

    To write more tokens than the length holds is the caller's mistake, and overwrites the last ones.
    """

    k: Array  # (B, S, K, d)
    v: Array  # (B, S, K, d)
    position: Array  # () int32: how many tokens are in it, and the place of the next.

    @classmethod
    def init(cls, batch: int, length: int, kv_heads: int, head_size: int, dtype: Any = jnp.float32) -> KVCache:
        """Empty, for `length` tokens."""
        shape = (batch, length, kv_heads, head_size)
        return cls(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype), jnp.zeros((), jnp.int32))

    def append(self, k: Array, v: Array) -> KVCache:
        """With the keys and values (B, T, K, d) of the next T tokens."""

        def write(old: Array, new: Array) -> Array:
            return jax.lax.dynamic_update_slice_in_dim(old, new.astype(old.dtype), self.position, axis=1)

        return KVCache(write(self.k, k), write(self.v, v), self.position + k.shape[1])


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
            qkv=Linear.init(named(key, "qkv"), width, columns, bias, weight_init),
            out=Linear.init(named(key, "out"), width, width, bias, out_init or weight_init),
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
            written = jnp.arange(cache.k.shape[1]) <= positions[:, None]  # (T, S): up to and with the query itself
            y = ops.attention(q, cache.k, cache.v, mask=written[None, None])
        return self.out(ops.reshape(y, (B, T, -1))), cache
