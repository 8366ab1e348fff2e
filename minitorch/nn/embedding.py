"""Embeddings: a vector for each token and, transposed, a score for each token."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float, Integer

from .. import ops
from .._types import Array, Key
from ..ops.indexing import widened
from .init import Initializer, fold_in_name, normal
from .module import Module

_NORMAL = normal(0.02)


def as_ids(layer: str, ids: Any) -> Any:
    """Return `ids` as int32 at least, which compares with every vocabulary. Raises TypeError if not integers."""
    if not jnp.issubdtype(ids.dtype, jnp.integer):
        raise TypeError(
            f"{layer} looks up integers, but was given ids of dtype {ids.dtype}:"
            " encode the text with a tokenizer, or convert numbers with ids.astype(int)."
        )
    return widened(jnp.asarray(ids))


class Embedding(Module):
    """A table of vectors: ids (...) to vectors (..., D). An id outside of [0, V) gives NaN, which no loss hides.

    Raises:
      TypeError: the ids are not integers.
    """

    weight: Float[Array, "V D"]

    @classmethod
    def init(cls, key: Key, vocab: int, width: int, weight_init: Initializer = _NORMAL) -> Embedding:
        """Return a table of `vocab` initial vectors of `width` numbers."""
        return cls(weight_init(fold_in_name(key, "weight"), (vocab, width)))

    def __call__(self, ids: Integer[Array, "*batch"]) -> Float[Array, "*batch D"]:
        ids, vocab = as_ids("Embedding", ids), self.weight.shape[0]
        return ops.take(self.weight, jnp.where(ids < 0, vocab, ids), axis=0)  # `take` counts -1 from the end.

    def attend(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch V"]:
        """Return the dot products of x with all vectors: logits for tied weights (Press and Wolf, arXiv 1608.05859)."""
        return ops.matmul(x, ops.transpose(self.weight))
