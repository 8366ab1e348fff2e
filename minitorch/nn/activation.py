"""The bend between two linear maps, without which they would be one."""

from __future__ import annotations

import jax

from ..ops import exp, gelu, minimum, relu, sigmoid, silu, softplus, tanh, where

Array = jax.Array

__all__ = ["elu", "gelu", "leaky_relu", "relu", "relu_squared", "sigmoid", "silu", "softplus", "tanh"]


def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """x above 0, and `negative_slope` x below, so that no unit dies; as `jax.nn.leaky_relu`."""
    return where(x >= 0, x, negative_slope * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x above 0, and alpha (exp(x) - 1) below; as `jax.nn.elu`. Clevert et al., arXiv 1511.07289."""
    return where(x > 0, x, alpha * (exp(minimum(x, 0)) - 1))  # The minimum keeps the unused branch from overflowing.


def relu_squared(x: Array) -> Array:
    """relu(x)^2, whose zeros are many and whose slope has no jump. So et al., "Primer", arXiv 2109.08668."""
    return relu(x) * relu(x)
