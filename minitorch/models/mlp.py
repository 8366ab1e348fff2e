"""The multi-layer perceptron: linear maps with a bend between them.

Axes: B batch, C classes.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import ClassVar

import jax

from .. import ops
from ..nn import Linear, Module, relu, static
from ..nn.init import fold_in_name, he_normal
from .config import Config

Array = jax.Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class MLPConfig(Config):
    """`inputs` numbers in, through layers of the widths in `hidden`, to `classes` logits."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int

    PRESETS: ClassVar = {
        "digits": dict(inputs=64, hidden=(128,), classes=10),
        "fashion": dict(inputs=784, hidden=(256, 128), classes=10),
    }

    def validate(self) -> list[str]:
        bad = self.check_positive("inputs", "classes")
        if not isinstance(self.hidden, tuple) or not all(isinstance(n, int) and n > 0 for n in self.hidden):
            bad.append(f"hidden must be a tuple of widths, such as (256, 128), and is {self.hidden!r}")
        return bad


class MLP(Module):
    """x (B, ...), pictures or vectors, to logits (B, C), with ReLU between the layers."""

    layers: list[Linear]
    config: MLPConfig = static()

    @classmethod
    def init(cls, key: Array, config: MLPConfig) -> MLP:
        """First weights after He et al., which suit ReLU."""
        sizes = [config.inputs, *config.hidden, config.classes]
        layers = [
            Linear.init(fold_in_name(key, f"layers.{i}"), d_in, d_out, weight_init=he_normal())
            for i, (d_in, d_out) in enumerate(pairwise(sizes))
        ]
        return cls(layers, config)

    def __call__(self, x: Array) -> Array:
        x = ops.reshape(x, (x.shape[0], -1))  # (B, inputs)
        for layer in self.layers[:-1]:
            x = relu(layer(x))
        return self.layers[-1](x)
