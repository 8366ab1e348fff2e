"""The affine map, where most of a model's parameters live and most of its time goes."""

from __future__ import annotations

import jax

from .. import ops
from .init import Initializer, fold_in_name, lecun_normal, zeros
from .module import Module

Array = jax.Array
_LECUN = lecun_normal()


class Linear(Module):
    """y = x W + b: x (..., inputs) to y (..., outputs).

    Raises:
      ValueError: the last axis of `x` is not the number of inputs.
    """

    weight: Array  # (inputs, outputs)
    bias: Array | None = None  # (outputs,)

    @classmethod
    def init(
        cls, key: Array, inputs: int, outputs: int, bias: bool = True, weight_init: Initializer = _LECUN
    ) -> Linear:
        """First weights `(inputs, outputs)` and, if wanted, a bias of zeros."""
        weight = weight_init(fold_in_name(key, "weight"), (inputs, outputs))
        return cls(weight, zeros(key, (outputs,)) if bias else None)

    def __call__(self, x: Array) -> Array:
        if x.shape[-1:] != self.weight.shape[:1]:
            inputs, outputs = self.weight.shape
            raise ValueError(
                f"Linear({inputs} -> {outputs}) was given x of shape {tuple(x.shape)}:"
                f" its last axis must be {inputs} long."
            )
        y = ops.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias
