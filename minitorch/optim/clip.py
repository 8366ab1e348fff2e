"""Keep one bad batch from throwing the weights far away."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .transform import Transform, state_dtype, stateless
from .validation import Number, check_above


def global_norm(tree: Any) -> jax.Array:
    """The Euclidean norm of all leaves taken as one vector: sqrt(sum of squares), summed in float32."""
    squares = (jnp.sum(jnp.square(x.astype(state_dtype(x)))) for x in jax.tree.leaves(tree))
    return jnp.sqrt(sum(squares, start=jnp.zeros(())))


def clip_by_global_norm(max_norm: Number) -> Transform:
    """u * min(1, max_norm / ||u||), which keeps the direction (Pascanu et al., 2013, arXiv:1211.5063).

    The updates must be whole: under `jax.shard_map`, where a device sees its share, it would see its share's norm.

    Raises ValueError unless max_norm > 0.
    """
    check_above("clip_by_global_norm", "max_norm", max_norm, 0, "Usual is 1.0; leave clipping out to switch it off.")

    def update(updates: Any, params: Any) -> Any:
        # The maximum stands in the denominator, so zero gradients divide by max_norm.
        factor = max_norm / jnp.maximum(global_norm(updates), max_norm)
        return jax.tree.map(lambda u: (factor * u).astype(u.dtype), updates)

    return stateless(update)


def clip(max_delta: Number) -> Transform:
    """Limit every component of the updates to [-max_delta, max_delta].

    Raises ValueError unless max_delta > 0.
    """
    check_above("clip", "max_delta", max_delta, 0, "It is the largest size a component may keep.")
    return stateless(lambda updates, params: jax.tree.map(lambda u: jnp.clip(u, -max_delta, max_delta), updates))
