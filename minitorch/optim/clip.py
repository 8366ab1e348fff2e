"""Gradient clipping, which limits the effect of a single bad batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from .transform import Transform, at_state_dtype, stateless
from .validation import Number, check_above

if TYPE_CHECKING:
    from .._types import PyTree


def global_norm(tree: PyTree) -> jax.Array:
    """Return the Euclidean norm of all leaves as one vector, summed in float32."""
    squares = (jnp.sum(jnp.square(at_state_dtype(x))) for x in jax.tree.leaves(tree))
    return jnp.sqrt(sum(squares, start=jnp.zeros(())))


def clip_by_global_norm(max_norm: Number) -> Transform:
    """Multiply the updates u by min(1, max_norm / ||u||), which keeps the direction.

    The updates must be whole: under `jax.shard_map` a device would compute the norm of its own shard only. Source:
    Pascanu et al., 2013, arXiv:1211.5063.

    Raises:
      ValueError: `max_norm` is not positive.
    """
    check_above("clip_by_global_norm", "max_norm", max_norm, 0, "Usual is 1.0; leave clipping out to switch it off.")

    def update(updates: PyTree, params: PyTree) -> PyTree:
        # The maximum is in the denominator, so that zero gradients are divided by max_norm.
        factor = max_norm / jnp.maximum(global_norm(updates), max_norm)
        return jax.tree.map(lambda u: jnp.asarray(factor * u, jnp.result_type(u)), updates)

    return stateless(update)


def clip(max_delta: Number) -> Transform:
    """Limit every component of the updates to [-max_delta, max_delta]. Raises ValueError unless that is positive."""
    check_above("clip", "max_delta", max_delta, 0, "It is the largest absolute value of a component.")
    return stateless(lambda updates, params: jax.tree.map(lambda u: jnp.clip(u, -max_delta, max_delta), updates))
