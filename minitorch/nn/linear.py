"""The affine map, which holds most of a model's parameters and takes most of its time."""

from __future__ import annotations

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from .init import Initializer, fold_in_name, lecun_normal, zeros
from .module import Module

_LECUN = lecun_normal()


class Linear(Module):
    """y = x W + b: x (..., inputs) to y (..., outputs).

    Raises:
      ValueError: the last axis of `x` does not have the length `inputs`.
    """

    weight: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"] | None = None

    @classmethod
    def init(cls, key: Key, inputs: int, outputs: int, bias: bool = True, weight_init: Initializer = _LECUN) -> Linear:
        """Return a layer with initial weights and, if `bias`, a bias of zeros."""
        weight = weight_init(fold_in_name(key, "weight"), (inputs, outputs))
        return cls(weight, zeros(key, (outputs,)) if bias else None)

    def __call__(self, x: Float[Array, "*batch inputs"]) -> Float[Array, "*batch outputs"]:
        if x.shape[-1:] != self.weight.shape[:1]:
            inputs, outputs = self.weight.shape
            raise ValueError(
                f"Linear({inputs} -> {outputs}) was given x of shape {tuple(x.shape)}:"
                f" its last axis must be {inputs} long."
            )
        y = ops.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias
