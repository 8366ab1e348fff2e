"""The multi-layer perceptron: linear maps with ReLU between them.

Axes: B batch, D inputs, F hidden width, N classes.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import ClassVar

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from ..nn import Linear, Module, relu, static
from ..nn.init import fold_in_name, he_normal
from .config import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class MLPConfig(Config):
    """`inputs` numbers, layers of the widths in `hidden`, and `classes` logits."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int

    PRESETS: ClassVar = {
        "digits": dict(inputs=64, hidden=(128,), classes=10),
        "fashion": dict(inputs=784, hidden=(256, 128), classes=10),
    }

    def validate(self) -> list[str]:
        bad = self.check_positive("inputs", "classes")
        if min(self.hidden, default=1) < 1:
            bad.append(f"hidden must be widths from 1 up, such as (256, 128), and is {self.hidden}")
        return bad


class MLP(Module):
    """Images or vectors (B, ...) to logits (B, N), with ReLU between the layers."""

    layers: list[Linear]
    config: MLPConfig = static()

    @classmethod
    def init(cls, key: Key, config: MLPConfig) -> MLP:
        """Return a model with initial weights after He et al., for ReLU."""
        sizes = [config.inputs, *config.hidden, config.classes]
        layers = [
            Linear.init(fold_in_name(key, f"layers.{i}"), d_in, d_out, weight_init=he_normal())
            for i, (d_in, d_out) in enumerate(pairwise(sizes))
        ]
        return cls(layers, config)

    def __call__(self, x: Float[Array, "B ..."]) -> Float[Array, "B N"]:
        x = ops.reshape(x, (x.shape[0], -1))  # (B, D)
        for layer in self.layers[:-1]:
            x = relu(layer(x))  # (B, F)
        return self.layers[-1](x)  # (B, N)
