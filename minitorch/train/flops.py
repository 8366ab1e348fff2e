"""The number of floating-point operations per token, counted by hand from the sizes of the model.

A product with a matrix of N entries costs 2 N operations per token in the forward pass and twice that in the backward
pass, which computes two gradients, those of the input and of the matrix: 6 N in all. Attention compares each token with
T others in each layer: scores and weighted sum, 2 products of 2 T D operations, and twice that again in the backward
pass: 12 T D. Sources: Kaplan et al., arXiv 2001.08361; Chowdhery et al., arXiv 2204.02311, appendix B, which counts the
masked half of attention, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..nn import paths

if TYPE_CHECKING:
    from ..models import Transformer


def matmul_parameters(model: Transformer) -> int:
    """Return the number of entries of all matrices that multiply, without tables whose rows are only looked up."""
    tables = [model.position, model.token if model.head is not None else None]
    vectors = sum(p.size for p in paths.flatten(model).values() if p.ndim < 2)
    return paths.count(model) - vectors - sum(paths.count(table) for table in tables)


def flops_per_token(model: Transformer, training: bool = True) -> int:
    """Return the operations for one token of a full context, including the backward pass if `training`."""
    c = model.config
    forward = 2 * matmul_parameters(model) + 4 * c.layers * c.context * c.width
    return 3 * forward if training else forward
