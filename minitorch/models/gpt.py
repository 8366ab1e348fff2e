"""GPT-2: learned positions, LayerNorm, a feed-forward layer with GELU, and output weights tied to the embedding.

Axes: D model width, F feed-forward width = 4 D; those of `transformer`.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
"""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from jaxtyping import Float

from .._types import Array, Key
from ..nn import Attention, Dropout, Embedding, LayerNorm, Linear, Module, gelu
from ..nn.init import Initializer, fold_in_name, normal
from .transformer import Block, Transformer, TransformerConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class GPTConfig(TransformerConfig):
    """The sizes of a GPT. With `bias`, all linear layers and norms have biases, as in GPT-2; small models need none."""

    bias: bool = False

    PRESETS: ClassVar = {
        "tiny": dict(vocab=1024, context=128, layers=4, heads=4, width=128),
        "nano": dict(vocab=65, context=256, layers=6, heads=6, width=384),
        "gpt2": dict(vocab=50257, context=1024, layers=12, heads=12, width=768, bias=True),
        "gpt2-medium": dict(vocab=50257, context=1024, layers=24, heads=16, width=1024, bias=True),
        "gpt2-large": dict(vocab=50257, context=1024, layers=36, heads=20, width=1280, bias=True),
        "gpt2-xl": dict(vocab=50257, context=1024, layers=48, heads=25, width=1600, bias=True),
    }


class FeedForward(Module):
    """gelu(x U) W, with U of shape (D, F) and W of shape (F, D): x (..., D) to (..., D)."""

    up: Linear
    down: Linear

    @classmethod
    def init(cls, key: Key, width: int, bias: bool, weight_init: Initializer, down_init: Initializer) -> FeedForward:
        return cls(
            up=Linear.init(fold_in_name(key, "up"), width, 4 * width, bias, weight_init),
            down=Linear.init(fold_in_name(key, "down"), 4 * width, width, bias, down_init),
        )

    def __call__(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch D"]:
        return self.down(gelu(self.up(x)))  # (..., D), from (..., F)


class GPT(Transformer):
    """`GPT.init(key, GPTConfig(vocab=65, context=64, layers=4, heads=4, width=128))`; see `Transformer`."""

    @classmethod
    def init(cls, key: Key, config: GPTConfig) -> GPT:
        """Return a model with initial weights as in GPT-2.

        Their standard deviation is 0.02, and 0.02 / sqrt(2 x `layers`) for layers that add to the residual stream.
        """
        c, std = config, normal(0.02)
        small = normal(0.02 / math.sqrt(2 * c.layers))

        def block(key: Key) -> Block:
            return Block(
                attention_norm=LayerNorm.init(fold_in_name(key, "attention_norm"), c.width, c.bias),
                attention=Attention.init(
                    fold_in_name(key, "attention"), c.width, c.heads, bias=c.bias, weight_init=std, out_init=small
                ),
                mlp_norm=LayerNorm.init(fold_in_name(key, "mlp_norm"), c.width, c.bias),
                mlp=FeedForward.init(fold_in_name(key, "mlp"), c.width, c.bias, std, small),
                dropout=Dropout(c.dropout),
            )

        return cls(
            token=Embedding.init(fold_in_name(key, "token"), c.vocab, c.width, std),
            position=Embedding.init(fold_in_name(key, "position"), c.context, c.width, std),
            blocks=[block(fold_in_name(key, f"blocks.{i}")) for i in range(c.layers)],
            norm=LayerNorm.init(fold_in_name(key, "norm"), c.width, c.bias),
            head=None,
            dropout=Dropout(c.dropout),
            config=c,
        )
