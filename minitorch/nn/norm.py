"""Normalization over the last axis: every vector is scaled to one size, then by learned numbers."""

from __future__ import annotations

from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from .init import fold_in_name, ones, zeros
from .module import Module, static


class LayerNorm(Module):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, for x (..., D). Ba, Kiros and Hinton, arXiv 1607.06450."""

    scale: Float[Array, " D"]
    bias: Float[Array, " D"] | None = None
    epsilon: float = static(default=1e-5)

    @classmethod
    def init(cls, key: Key, width: int, bias: bool = True, epsilon: float = 1e-5) -> LayerNorm:
        """Return a layer for vectors of `width` numbers, with scale 1 and, if `bias`, bias 0."""
        return cls(ones(fold_in_name(key, "scale"), (width,)), zeros(key, (width,)) if bias else None, epsilon)

    def __call__(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch D"]:
        return ops.layer_norm(x, self.scale, self.bias, self.epsilon)


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + epsilon) * scale, for x (..., D). Zhang and Sennrich, arXiv 1910.07467."""

    scale: Float[Array, " D"]
    epsilon: float = static(default=1e-6)

    @classmethod
    def init(cls, key: Key, width: int, epsilon: float = 1e-6) -> RMSNorm:
        """Return a layer for vectors of `width` numbers, with scale 1."""
        return cls(ones(fold_in_name(key, "scale"), (width,)), epsilon)

    def __call__(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch D"]:
        return ops.rms_norm(x, self.scale, self.epsilon)
