"""Causal multi-head self-attention with a key/value cache.

The same call trains on a whole text, prefills a cache with a prompt, and decodes from the cache token by token.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from .init import Initializer, fold_in_name, lecun_normal
from .kv_cache import KVCache
from .linear import Linear
from .module import Module, static
from .rope import rope

_LECUN = lecun_normal()


class Attention(Module):
    """Multi-head self-attention: x (B, T, D) to (B, T, D).

    One product computes the queries of all `heads` and the keys and values of all `kv_heads`; each key head serves
    heads / kv_heads query heads (Ainslie et al., arXiv 2305.13245). `rope_base` turns on rotary positions.
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
        key: Key,
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
        """Return a layer with initial weights. `kv_heads` defaults to `heads`, and `out_init` to `weight_init`.

        Raises:
          ValueError: the width is not a multiple of the heads, or the heads are not a multiple of the key heads.
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

    def __call__(
        self, x: Float[Array, "B T D"], cache: KVCache | None = None
    ) -> tuple[Float[Array, "B T D"], KVCache | None]:
        """Return `(y, cache)`. If a cache is given, `x` continues its tokens, and the returned cache holds T more."""
        B, T, _ = x.shape
        H, K = self.heads, self.kv_heads
        qkv = ops.reshape(self.qkv(x), (B, T, H + 2 * K, -1))  # (B, T, H + 2K, d)
        q, k, v = ops.split(qkv, [H, H + K], axis=2)  # (B, T, H, d), (B, T, K, d), (B, T, K, d)
        positions = jnp.arange(T) if cache is None else cache.position + jnp.arange(T)  # (T,)
        if self.rope_base is not None:
            q, k = rope(q, positions, self.rope_base), rope(k, positions, self.rope_base)
        if cache is None:
            y = ops.attention(q, k, v, is_causal=self.is_causal)  # (B, T, H, d)
        else:
            cache = cache.append(k, v)
            y = cache.attend(q)  # (B, T, H, d)
        return self.out(ops.reshape(y, (B, T, -1))), cache  # (B, T, D)
