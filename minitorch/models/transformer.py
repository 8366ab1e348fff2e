"""The decoder of `gpt` and `llama`: blocks of attention and feed-forward layers on one residual stream.

Axes: B batch, T time, D model width, V vocabulary.

Each part normalizes its input and not the sum (Xiong et al., arXiv 2002.04745), so that the residual stream from the
embedding to the logits is a plain sum, and gradients reach every block.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float, Integer

from .._types import Array, Key
from ..nn import Attention, Dropout, Embedding, KVCache, LayerNorm, Linear, Module, RMSNorm, at_least_float32, static
from ..nn.init import fold_in_name
from .config import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig(Config):
    """The sizes of a decoder, and the rate of dropout of the embedding and of what each part adds to the stream."""

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
    mlp: Any  # a module from (B, T, D) to (B, T, D)
    dropout: Dropout

    def __call__(
        self, x: Float[Array, "B T D"], cache: KVCache | None = None, key: Key | None = None
    ) -> tuple[Float[Array, "B T D"], KVCache | None]:
        y, cache = self.attention(self.attention_norm(x), cache)  # (B, T, D)
        x = x + self.dropout(y, fold_in_name(key, "attention"))
        y = self.mlp(self.mlp_norm(x))  # (B, T, D)
        return x + self.dropout(y, fold_in_name(key, "mlp")), cache


class Transformer(Module):
    """Token ids (B, T) to logits (B, T, V) for the token that follows each.

    `model(ids)` is for training and evaluation, `model.decode(ids, cache)` for generation.
    """

    token: Embedding
    position: Embedding | None  # None if attention rotates its queries and keys instead
    blocks: list[Block]
    norm: LayerNorm | RMSNorm
    head: Linear | None  # None if the output weights are those of `token`
    dropout: Dropout
    config: TransformerConfig = static()

    def __call__(self, ids: Integer[Array, "B T"], key: Key | None = None) -> Float[Array, "B T V"]:
        """Return logits in float32 at least. Dropout applies only if a `key` is given.

        Raises:
          ValueError: the ids are not (B, T), or T is larger than the context.
        """
        return self._run(ids, [None] * len(self.blocks), key)[0]

    def hidden_states(self, ids: Integer[Array, "B T"]) -> list[Float[Array, "B T D"]]:
        """Return the residual stream after the embedding and after each block. Raises ValueError as a call does."""
        self._check_ids(ids)
        states = [self._embed(ids, None)]
        for block in self.blocks:
            states.append(block(states[-1])[0])
        return states

    def unembed(self, x: Float[Array, "B T D"]) -> Float[Array, "B T V"]:
        """Return logits, in float32 at least, from the residual stream after the last block."""
        x = self.norm(x)  # (B, T, D)
        return at_least_float32(self.token.attend(x) if self.head is None else self.head(x))

    def decode(self, ids: Integer[Array, "B T"], cache: list[KVCache]) -> tuple[Float[Array, "B T V"], list[KVCache]]:
        """Return logits for T tokens that follow those in the cache, and the cache with these tokens.

        One call reads a prompt (prefill), and calls with T = 1 continue it. Not for training. The caller must not give
        more tokens than fit into the cache: the number in it is known only while compiled code runs.
        """
        return self._run(ids, cache, None)

    def init_cache(self, batch: int, length: int | None = None) -> list[KVCache]:
        """Return an empty cache for `length` tokens, by default the context, in the dtype of the weights.

        Raises:
          ValueError: the length is larger than the context.
        """
        self._check_length(length := length or self.config.context)
        head_size, dtype = self.config.width // self.config.heads, self.token.weight.dtype
        return [KVCache.init(batch, length, block.attention.kv_heads, head_size, dtype) for block in self.blocks]

    def _run(self, ids: Array, caches: Sequence[KVCache | None], key: Key | None) -> tuple[Array, Any]:
        self._check_ids(ids)
        x = self.dropout(self._embed(ids, caches[0]), fold_in_name(key, "embedding"))  # (B, T, D)
        longer = []
        for i, (block, cache) in enumerate(zip(self.blocks, caches, strict=True)):
            x, cache = block(x, cache, fold_in_name(key, f"blocks.{i}"))  # (B, T, D)
            longer.append(cache)
        return self.unembed(x), longer  # (B, T, V)

    def _embed(self, ids: Array, cache: KVCache | None) -> Array:
        x = self.token(ids)  # (B, T, D)
        if self.position is None:
            return x
        T = ids.shape[1]
        if cache is None:
            return x + self.position.weight[:T]  # (T, D); the gradient of a slice is cheaper than that of a look-up
        return x + self.position(cache.position + jnp.arange(T))  # (T, D)

    def _check_ids(self, ids: Array) -> None:
        if ids.ndim != 2:
            raise ValueError(
                f"a model reads ids (B, T), but got shape {tuple(ids.shape)}: for one text, give ids[None]."
            )
        self._check_length(ids.shape[1])

    def _check_length(self, tokens: int) -> None:
        context = self.config.context
        if tokens > context:
            raise ValueError(
                f"{tokens} tokens are more than the context of {context} of this model:"
                f" give it the last {context}, ids[:, -{context}:], or train one with a larger context."
            )
