"""A small convolutional network for images of digits and clothes: convolutions, each followed by pooling.

Axes: B batch, H height, W width, C channels, N classes.

Source: after LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998, with ReLU and max pooling.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from ..nn import Conv, Linear, Module, relu, static
from ..nn.init import fold_in_name, he_normal
from .config import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvNetConfig(Config):
    """Square images of `size` pixels and `channels` colours; `hidden` channels after each convolution."""

    size: int
    channels: int = 1
    hidden: tuple[int, ...] = (16, 32)
    classes: int = 10

    PRESETS: ClassVar = {"digits": dict(size=8), "fashion": dict(size=28, hidden=(32, 64))}

    def validate(self) -> list[str]:
        bad = self.check_positive("size", "channels", "classes")
        if min(self.hidden, default=1) < 1:
            bad.append(f"hidden must be channel counts from 1 up, such as (16, 32), and is {self.hidden}")
        elif not bad and self.size >> len(self.hidden) == 0:
            bad.append(f"{len(self.hidden)} poolings reduce a size of {self.size} to nothing: give fewer hidden layers")
        return bad


class ConvNet(Module):
    """Images (B, H, W) or (B, H, W, C) to logits (B, N)."""

    convs: list[Conv]
    head: Linear
    config: ConvNetConfig = static()

    @classmethod
    def init(cls, key: Key, config: ConvNetConfig) -> ConvNet:
        """Return a model with initial weights after He et al., for ReLU."""
        c = config
        channels = [c.channels, *c.hidden]
        side = c.size >> len(c.hidden)  # Each pooling halves it and rounds down.
        convs = [
            Conv.init(fold_in_name(key, f"convs.{i}"), channels[i], channels[i + 1], (3, 3), weight_init=he_normal())
            for i in range(len(c.hidden))
        ]
        return cls(convs, Linear.init(fold_in_name(key, "head"), side * side * channels[-1], c.classes), c)

    def __call__(self, x: Float[Array, "B H W *C"]) -> Float[Array, "B N"]:
        if x.ndim == 3:
            x = ops.expand_dims(x, -1)  # (B, H, W, 1)
        for conv in self.convs:
            x = ops.max_pool(relu(conv(x)), (2, 2), (2, 2))  # (B, H/2, W/2, C)
        x = ops.reshape(x, (x.shape[0], -1))  # (B, H W C)
        return self.head(x)  # (B, N)
