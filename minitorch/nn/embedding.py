"""A vector for each token, and, read the other way, a score for each token."""

from __future__ import annotations

import jax

from .. import ops
from .init import Initializer, fold_in_name, normal
from .module import Module

Array = jax.Array
_NORMAL = normal(0.02)


class Embedding(Module):
    """Rows of a table: ids (...) to vectors (..., D). An id outside of [0, V) gives NaN, which no loss hides.

    Raises:
      TypeError: the ids are not integers.
    """

    weight: Array  # (V, D)

    @classmethod
    def init(cls, key: Array, vocab: int, width: int, weight_init: Initializer = _NORMAL) -> Embedding:
        """First weights for `vocab` ids, `(vocab, width)`."""
        return cls(weight_init(fold_in_name(key, "weight"), (vocab, width)))

    def __call__(self, ids: Array) -> Array:
        if not jax.numpy.issubdtype(ids.dtype, jax.numpy.integer):
            raise TypeError(
                f"Embedding looks up integers, but was given ids of dtype {ids.dtype}:"
                " encode the text with a tokenizer, or convert numbers with ids.astype(int)."
            )
        return ops.take(self.weight, ids, axis=0)

    def attend(self, x: Array) -> Array:
        """The dot product with every row: x (..., D) to logits (..., V).

        A model that ends so has its output weights tied to its input's: Press and Wolf, arXiv 1608.05859.
        """
        return ops.matmul(x, ops.transpose(self.weight))
