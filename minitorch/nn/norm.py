"""Normalization over the last axis: every vector brought to one size, then scaled by learned numbers."""

from __future__ import annotations

import jax

from .. import ops
from .init import fold_in_name, ones, zeros
from .module import Module, static

Array = jax.Array


class LayerNorm(Module):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, for x (..., D). Ba, Kiros and Hinton, arXiv 1607.06450."""

    scale: Array  # (D,)
    bias: Array | None = None  # (D,)
    epsilon: float = static(default=1e-5)

    @classmethod
    def init(cls, key: Array, width: int, bias: bool = True, epsilon: float = 1e-5) -> LayerNorm:
        """Scale 1 and, if wanted, bias 0, for `width` numbers."""
        return cls(ones(fold_in_name(key, "scale"), (width,)), zeros(key, (width,)) if bias else None, epsilon)

    def __call__(self, x: Array) -> Array:
        return ops.layer_norm(x, self.scale, self.bias, self.epsilon)


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + epsilon) * scale, for x (..., D). Zhang and Sennrich, arXiv 1910.07467."""

    scale: Array  # (D,)
    epsilon: float = static(default=1e-6)

    @classmethod
    def init(cls, key: Array, width: int, epsilon: float = 1e-6) -> RMSNorm:
        """Scale 1 for `width` numbers."""
        return cls(ones(fold_in_name(key, "scale"), (width,)), epsilon)

    def __call__(self, x: Array) -> Array:
        return ops.rms_norm(x, self.scale, self.epsilon)
