"""Llama. Unlike `gpt`: rotary positions, RMSNorm, a gated feed-forward layer, and query heads that share a key head.

Axes: D model width, F feed-forward width; those of `transformer`.

Source: Touvron et al., arXiv 2302.13971 and 2307.09288.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from ..nn import Attention, Dropout, Embedding, Linear, Module, RMSNorm, silu
from ..nn.init import Initializer, fold_in_name, normal
from .transformer import Block, Transformer, TransformerConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class LlamaConfig(TransformerConfig):
    """The sizes of a Llama. With `tied`, the output weights are the embedding, which is most of a small model.

    `kv_heads` defaults to `heads`, and `feedforward` to 8/3 of the width, rounded up to a multiple of 32.
    """

    kv_heads: int | None = None
    feedforward: int | None = None
    rope_base: float = 10_000.0
    epsilon: float = 1e-5
    tied: bool = False

    PRESETS: ClassVar = {
        "tiny": dict(vocab=1024, context=128, layers=4, heads=4, kv_heads=2, width=128, tied=True),
        "15m": dict(vocab=32000, context=256, layers=6, heads=6, width=288, tied=True),
        "110m": dict(vocab=32000, context=1024, layers=12, heads=12, width=768, tied=True),
        "1.1b": dict(vocab=32000, context=2048, layers=22, heads=32, kv_heads=4, width=2048, feedforward=5632),
        "7b": dict(vocab=32000, context=4096, layers=32, heads=32, width=4096, feedforward=11008),
    }

    def validate(self) -> list[str]:
        optional = [name for name in ("kv_heads", "feedforward") if getattr(self, name) is not None]
        if bad := super().validate() + self.check_positive(*optional):
            return bad
        for name in ("rope_base", "epsilon"):
            if not 0 < getattr(self, name) < math.inf:
                bad.append(f"{name} must be a positive number, and is {getattr(self, name)}")
        if self.heads % (self.kv_heads or 1):
            bad.append(f"{self.kv_heads} key/value heads do not divide the {self.heads} heads: choose a divisor")
        if self.width // self.heads % 2:
            bad.append(f"rotary positions need an even head size, not width / heads = {self.width // self.heads}")
        return bad


class SwiGLU(Module):
    """(silu(x G) * (x U)) W, with G and U of shape (D, F) and W of shape (F, D): x (..., D) to (..., D).

    Shazeer, arXiv 2002.05202.
    """

    gate_up: Linear  # (D, 2F): the columns of G, then those of U, in one product
    down: Linear

    @classmethod
    def init(cls, key: Key, width: int, feedforward: int, weight_init: Initializer, down_init: Initializer) -> SwiGLU:
        return cls(
            gate_up=Linear.init(fold_in_name(key, "gate_up"), width, 2 * feedforward, False, weight_init),
            down=Linear.init(fold_in_name(key, "down"), feedforward, width, False, down_init),
        )

    def __call__(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch D"]:
        gate, up = ops.split(self.gate_up(x), 2, axis=-1)  # (..., F) each
        return self.down(silu(gate) * up)  # (..., D)


class Llama(Transformer):
    """`Llama.init(key, LlamaConfig(vocab=65, context=64, layers=4, heads=4, width=128))`; see `Transformer`."""

    @classmethod
    def init(cls, key: Key, config: LlamaConfig) -> Llama:
        """Return a model with initial weights as in GPT-2."""
        c, std = config, normal(0.02)
        small = normal(0.02 / math.sqrt(2 * c.layers))
        feedforward = c.feedforward or 32 * math.ceil(8 * c.width / 3 / 32)
        options: Any = dict(bias=False, rope_base=c.rope_base, weight_init=std, out_init=small)

        def block(key: Key) -> Block:
            return Block(
                attention_norm=RMSNorm.init(fold_in_name(key, "attention_norm"), c.width, c.epsilon),
                attention=Attention.init(fold_in_name(key, "attention"), c.width, c.heads, c.kv_heads, **options),
                mlp_norm=RMSNorm.init(fold_in_name(key, "mlp_norm"), c.width, c.epsilon),
                mlp=SwiGLU.init(fold_in_name(key, "mlp"), c.width, feedforward, std, small),
                dropout=Dropout(c.dropout),
            )

        return cls(
            token=Embedding.init(fold_in_name(key, "token"), c.vocab, c.width, std),
            position=None,
            blocks=[block(fold_in_name(key, f"blocks.{i}")) for i in range(c.layers)],
            norm=RMSNorm.init(fold_in_name(key, "norm"), c.width, c.epsilon),
            head=None if c.tied else Linear.init(fold_in_name(key, "head"), c.width, c.vocab, False, std),
            dropout=Dropout(c.dropout),
            config=c,
        )
