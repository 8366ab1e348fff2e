"""Convolution: one small linear map, applied at every position of an image or a signal."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from .init import Initializer, fold_in_name, lecun_normal, zeros
from .module import Module, static

_LECUN = lecun_normal()
_LAYOUTS = {3: ("NWC", "WIO", "NWC"), 4: ("NHWC", "HWIO", "NHWC")}


class Conv(Module):
    """1-D for x (B, W, inputs), 2-D for x (B, H, W, inputs): the channels come last. As `flax.nnx.Conv`.

    Raises:
      ValueError: `x` has another number of axes or of channels than the weight expects.
    """

    weight: Array  # (*window, inputs / groups, outputs)
    bias: Float[Array, " outputs"] | None = None
    stride: int = static(default=1)
    padding: str = static(default="SAME")
    dilation: int = static(default=1)
    groups: int = static(default=1)

    @classmethod
    def init(
        cls,
        key: Key,
        inputs: int,
        outputs: int,
        window: Sequence[int],
        *,
        stride: int = 1,
        padding: str = "SAME",
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        weight_init: Initializer = _LECUN,
    ) -> Conv:
        """Return a layer with initial weights. `window` is (W,) or (H, W); `padding` is "SAME" or "VALID".

        Raises:
          ValueError: the groups do not divide the channels.
        """
        if inputs % groups or outputs % groups:
            raise ValueError(f"{groups} groups must divide the {inputs} inputs and the {outputs} outputs.")
        weight = weight_init(fold_in_name(key, "weight"), (*window, inputs // groups, outputs))
        return cls(weight, zeros(key, (outputs,)) if bias else None, stride, padding, dilation, groups)

    def __call__(self, x: Float[Array, "B *positions inputs"]) -> Float[Array, "B *new_positions outputs"]:
        axes, inputs = self.weight.ndim, self.weight.shape[-2] * self.groups
        if x.ndim != axes or x.shape[-1] != inputs:
            raise ValueError(
                f"Conv over {self.weight.shape[:-2]} needs x with {axes} axes, the last of {inputs} channels,"
                f" but got shape {tuple(x.shape)}. Grayscale images need that axis, too: x[..., None]."
            )
        y = ops.conv_general_dilated(
            x,
            self.weight,
            (self.stride,) * (axes - 2),
            self.padding,
            rhs_dilation=(self.dilation,) * (axes - 2),
            dimension_numbers=_LAYOUTS[axes],
            feature_group_count=self.groups,
        )
        return y if self.bias is None else y + self.bias
