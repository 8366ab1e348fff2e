"""Activation functions."""

from __future__ import annotations

from jaxtyping import Float

from .._types import Array
from ..ops import exp, gelu, minimum, relu, sigmoid, silu, softplus, tanh, where

__all__ = ["elu", "gelu", "leaky_relu", "relu", "relu_squared", "sigmoid", "silu", "softplus", "tanh"]


def leaky_relu(x: Float[Array, "*shape"], negative_slope: float = 0.01) -> Float[Array, "*shape"]:
    """Return x where x >= 0 and `negative_slope` x elsewhere, so that no unit dies; as `jax.nn.leaky_relu`."""
    return where(x >= 0, x, negative_slope * x)


def elu(x: Float[Array, "*shape"], alpha: float = 1.0) -> Float[Array, "*shape"]:
    """Return x where x > 0 and alpha (exp(x) - 1) elsewhere; as `jax.nn.elu`. Clevert et al., arXiv 1511.07289."""
    return where(x > 0, x, alpha * (exp(minimum(x, 0)) - 1))  # The minimum keeps the unused branch from overflowing.


def relu_squared(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return relu(x)^2, which is sparse and has a continuous slope. So et al., "Primer", arXiv 2109.08668."""
    return relu(x) * relu(x)
