"""Noise that keeps a model from leaning on any one number."""

from __future__ import annotations

import jax

from .. import ops
from .module import Module, static

Array = jax.Array


class Dropout(Module):
    """Sets each number to 0 with probability `rate` and divides the rest by 1 - rate, so that the mean stays.

    Only with a key: without one, as in evaluation, `x` passes unchanged. Srivastava et al., JMLR 15 (2014).

    Raises:
      ValueError: a rate outside of [0, 1).
    """

    rate: float = static()

    def __call__(self, x: Array, key: Array | None = None) -> Array:
        if not 0 <= self.rate < 1:
            raise ValueError(f"a dropout rate is a probability in [0, 1), not {self.rate}: 0.1 drops one in ten.")
        if key is None or self.rate == 0:
            return x
        kept = 1 - self.rate
        return ops.where(jax.random.bernoulli(key, kept, x.shape), x / kept, 0)
