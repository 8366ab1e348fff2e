"""Rotary positions: a vector's pairs of numbers are turned by angles that grow with its place in the text.

The product of a query and a key then depends on how far apart they are and not on where. Su et al., arXiv 2104.09864.
The number i makes a pair with i + d/2, as in Llama's published weights, and not with its neighbour as in the paper.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..autodiff import primitive

Array = jax.Array


def _rotate_back(g: Any, y: Any, x: Any, cos: Any, sin: Any) -> Any:
    return rotate(g, cos, -sin)  # A turn is orthogonal: its transpose, which carries the cotangent, is its inverse.


@primitive(_rotate_back)
def rotate(x: Any, cos: Any, sin: Any) -> Any:
    """Each pair (x[..., i], x[..., i + d/2]) turned by an angle, given its cosine and sine (..., d/2)."""
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def rope(x: Array, positions: Array, base: float = 10_000.0) -> Array:
    """Turn queries or keys x (B, T, H, d) by their positions (T,) or (B, T).

    The pair i turns by position / base^(2i/d) radians: the first fast, the last slowly.

    Raises:
      ValueError: d is odd.
    """
    d = x.shape[-1]
    if d % 2:
        raise ValueError(
            f"rotary positions turn pairs of numbers, but a head is {d} wide: choose an even width / heads."
        )
    frequencies = base ** (-jnp.arange(0, d, 2, dtype=jnp.float32) / d)
    angles = (positions[..., None] * frequencies)[..., None, :]  # (T, 1, d/2) or (B, T, 1, d/2)
    return rotate(x, jnp.cos(angles).astype(x.dtype), jnp.sin(angles).astype(x.dtype))
