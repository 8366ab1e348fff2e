"""The decoder that `gpt` and `llama` are two settings of: blocks of attention and feed-forward on one residual stream.

Axes: B batch, T time, S source time (the cache's length), D model width, H heads, K key/value heads, V vocabulary.

Normalization stands before each part and not after the sum (Xiong et al., arXiv 2002.04745), so that the stream from
the embedding to the logits is a plain sum, and gradients reach every block.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from ..nn import Attention, Dropout, Embedding, KVCache, LayerNorm, Linear, Module, RMSNorm, at_least_float32, static
from ..nn.init import fold_in_name
from .config import Config

Array = jax.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig(Config):
    """The sizes of a decoder, and its rate of dropout, on the embedding and on what each part adds to the stream."""

    vocab: int
    context: int
    layers: int
    heads: int
    width: int
    dropout: float = 0.0

    def validate(self) -> list[str]:
        if bad := self.check_positive("vocab", "context", "layers", "heads", "width"):
            return bad
        if self.width % self.heads:
            bad.append(f"{self.heads} heads do not divide the width {self.width}: choose a multiple of {self.heads}")
        if not 0 <= self.dropout < 1:
            bad.append(f"dropout is a probability in [0, 1), not {self.dropout}")
        return bad


class Block(Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), for x (B, T, D)."""

    attention_norm: LayerNorm | RMSNorm
    attention: Attention
    mlp_norm: LayerNorm | RMSNorm
    mlp: Any  # A module (..., D) -> (..., D).
    dropout: Dropout

    def __call__(
        self, x: Array, cache: KVCache | None = None, key: Array | None = None
    ) -> tuple[Array, KVCache | None]:
        y, cache = self.attention(self.attention_norm(x), cache)
        x = x + self.dropout(y, fold_in_name(key, "attention"))
        y = self.mlp(self.mlp_norm(x))
        return x + self.dropout(y, fold_in_name(key, "mlp")), cache


class Transformer(Module):
    """Token ids (B, T) to logits (B, T, V) for the token that follows each.

    `model(ids)` trains and evaluates, dropping out only if given a `key`; `model.decode(ids, cache)` generates.
    """

    token: Embedding
    position: Embedding | None  # None where attention turns its queries and keys instead (RoPE).
    blocks: list[Block]
    norm: LayerNorm | RMSNorm
    head: Linear | None  # None: the token embedding, read the other way.
    dropout: Dropout
    config: TransformerConfig = static()

    def __call__(self, ids: Array, key: Array | None = None) -> Array:
        """Logits (B, T, V), float32 at least.

        Raises:
          ValueError: the ids are not (B, T), or T is more than the context.
        """
        return self._run(ids, [None] * len(self.blocks), key)[0]

    def hidden_states(self, ids: Array) -> list[Array]:
        """The residual stream (B, T, D) after the embedding, and after each block: `model(ids)` on the way.

        Raises ValueError as the model does.
        """
        self._check_ids(ids)
        states = [self._embed(ids, None)]
        for block in self.blocks:
            states.append(block(states[-1])[0])
        return states

    def unembed(self, x: Array) -> Array:
        """Logits (B, T, V), float32 at least, from the stream x (B, T, D) after the last block."""
        x = self.norm(x)
        return at_least_float32(self.token.attend(x) if self.head is None else self.head(x))

    def decode(self, ids: Array, cache: list[KVCache]) -> tuple[Array, list[KVCache]]:
        """Logits (B, T, V) for T tokens that follow those in the cache, and the longer cache.

        A prompt is read in one call and continued in calls of T = 1. Not for training. The caller sees to it that the
        tokens fit into the cache: how full it is, is known only while the compiled code runs.
        """
        return self._run(ids, cache, None)

    def init_cache(self, batch: int, length: int | None = None) -> list[KVCache]:
        """An empty cache for `length` tokens, by default the context, in the dtype of the weights.

        Raises:
          ValueError: the length is more than the context.
        """
        self._check_length(length := length or self.config.context)
        head_size, dtype = self.config.width // self.config.heads, self.token.weight.dtype
        return [KVCache.init(batch, length, block.attention.kv_heads, head_size, dtype) for block in self.blocks]

    def _run(self, ids: Array, caches: Any, key: Array | None) -> tuple[Array, Any]:
        self._check_ids(ids)
        x = self.dropout(self._embed(ids, caches[0]), fold_in_name(key, "embedding"))  # (B, T, D)
        longer = []
        for i, (block, cache) in enumerate(zip(self.blocks, caches, strict=True)):
            x, cache = block(x, cache, fold_in_name(key, f"blocks.{i}"))
            longer.append(cache)
        return self.unembed(x), longer

    def _embed(self, ids: Array, cache: KVCache | None) -> Array:
        x = self.token(ids)
        if self.position is None:
            return x
        T = ids.shape[1]
        if cache is None:
            return x + self.position.weight[:T]  # A slice: its gradient is cheaper than that of a look-up.
        return x + self.position(cache.position + jnp.arange(T))

    def _check_ids(self, ids: Array) -> None:
        if ids.ndim != 2:
            raise ValueError(f"a model reads ids (B, T), but got shape {tuple(ids.shape)}: for one text, ids[None].")
        self._check_length(ids.shape[1])

    def _check_length(self, tokens: int) -> None:
        context = self.config.context
        if tokens > context:
            raise ValueError(
                f"{tokens} tokens are more than the context of {context} that this model was made for:"
                f" give it the last {context}, ids[:, -{context}:], or train one with a larger context."
            )
