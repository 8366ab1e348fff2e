"""Dropout: noise that keeps a model from relying on single activations."""

from __future__ import annotations

import jax
from jaxtyping import Float

from .. import ops
from .._types import Array, Key
from .module import Module, static


class Dropout(Module):
    """Sets each number to 0 with probability `rate` and divides the rest by 1 - rate, which keeps the mean.

    Without a key, as in evaluation, `x` passes unchanged. Srivastava et al., JMLR 15 (2014).

    Raises:
      ValueError: a rate outside of [0, 1).
    """

    rate: float = static()

    def __call__(self, x: Float[Array, "*shape"], key: Key | None = None) -> Float[Array, "*shape"]:
        if not 0 <= self.rate < 1:
            raise ValueError(f"a dropout rate is a probability in [0, 1), not {self.rate}: 0.1 drops one in ten.")
        if key is None or self.rate == 0:
            return x
        kept = 1 - self.rate
        return ops.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0)
