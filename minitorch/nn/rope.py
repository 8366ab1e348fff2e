"""Rotary positions (RoPE): pairs of numbers are rotated by angles proportional to the position of the token.

The product of a query and a key then depends on their distance alone. Su et al., arXiv 2104.09864. Number i is paired
with i + d/2, as in Llama's published weights, and not with its neighbour as in the paper.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float, Num

from .._types import Array
from ..autodiff import primitive


def _rotate_back(g: Any, y: Any, x: Any, cos: Any, sin: Any) -> Any:
    return rotate(g, cos, -sin)  # A rotation is orthogonal: its transpose, which maps the cotangent, is its inverse.


@primitive(_rotate_back)
def rotate(x: Any, cos: Any, sin: Any) -> Any:
    """Rotate each pair (x[..., i], x[..., i + d/2]) by an angle, given its cosine and sine (..., d/2)."""
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def rope(
    x: Float[Array, "B T H d"],
    positions: Num[Array, " T"] | Num[Array, "B T"],
    base: float | Float[Array, ""] = 10_000.0,
) -> Float[Array, "B T H d"]:
    """Rotate queries or keys according to their positions: pair i by position / base^(2i/d) radians.

    Raises:
      ValueError: d is odd.
    """
    d = x.shape[-1]
    if d % 2:
        raise ValueError(
            f"rotary positions rotate pairs of numbers, but a head is {d} wide: choose an even width / heads."
        )
    frequencies = base ** (-jnp.arange(0, d, 2, dtype=jnp.float32) / d)
    angles = (positions[..., None] * frequencies)[..., None, :]  # (T, 1, d/2) or (B, T, 1, d/2)
    return rotate(x, jnp.cos(angles).astype(x.dtype), jnp.sin(angles).astype(x.dtype))
