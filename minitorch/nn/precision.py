"""Mixed precision: weights in float32, products in bfloat16, sums and losses in float32 again.

    loss = nn.cross_entropy(nn.cast(model, jnp.bfloat16)(ids), targets)

The cast is an op like any other: the gradient comes back through it in float32. Micikevicius et al., arXiv 1710.03740;
bfloat16 has the exponents of float32, so that it needs no loss scaling.
"""

from __future__ import annotations

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Shaped

from .. import ops
from .._types import Array

T = TypeVar("T")


def cast(tree: T, dtype: Any) -> T:
    """Return `tree` with every floating-point array in `dtype`; integers stay as they are."""
    return jax.tree.map(lambda x: ops.astype(x, dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def at_least_float32(x: Shaped[Array, "*shape"]) -> Shaped[Array, "*shape"]:
    """Return bfloat16 and float16 as float32, in which long sums and logarithms are exact enough; others unchanged."""
    return ops.astype(x, jnp.float32) if x.dtype in (jnp.bfloat16, jnp.float16) else x
