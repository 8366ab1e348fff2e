"""Means over a batch of which every device holds a part.

A step of `train` averages the losses of its devices. That is the mean over the batch only if all divide by the same
number. Where it depends on the data, the sums and the numbers of all devices are added first, and divided last.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from .. import ops
from .._types import Array
from ..autodiff import primitive

BATCH = "data"  # The axis of the mesh along which a batch is split.


def masked_mean(values: Float[Array, "*shape"], where: Bool[Array, "*shape"]) -> Float[Array, ""]:
    """Return the mean of the values where `where` holds, of one shape, over the whole batch; 0 if there are none.

    Inside a step of `train`, the mean is over the parts of all devices, and each device gets the same number.

    Raises:
      ValueError: `where` is not boolean, or has another shape.
    """
    if where.shape != values.shape or where.dtype != bool:
        raise ValueError(
            f"masked_mean needs a boolean `where` of the values' shape, {tuple(values.shape)}, but got {where.dtype}"
            f" {tuple(where.shape)}: True where a value counts."
        )
    total = sum_over_devices(ops.sum(ops.where(where, values, 0)))
    return total / jnp.maximum(sum_over_devices(jnp.sum(where)), 1)


def _sum_rule(g: Any, y: Any, x: Any) -> Any:
    return sum_over_devices(g)


@primitive(_sum_rule)
def sum_over_devices(x: Any) -> Any:
    """Return the sum of `x` over the devices that share a batch; `x` itself outside of `jax.shard_map`.

    The rule is for the sum of what the devices return: `x` of one device is a part of the result of each.
    """
    return jax.lax.psum(x, BATCH) if _is_shared() else x


def _is_shared() -> bool:
    try:
        return jax.lax.axis_size(BATCH) > 1
    except NameError:  # JAX knows no axis of this name.
        return False
