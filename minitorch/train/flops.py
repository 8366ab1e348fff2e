"""How much arithmetic is a step? Counted by hand, from the sizes, as one does before asking for a machine.

A product with a matrix of N entries costs 2 N operations a token; the way back costs twice the way there, for there are
two gradients, that of the input and that of the matrix: 6 N. Attention compares each token with T others in each layer:
scores and weighted sum, 2 products of 2 T D, and again three times that: 12 T D. Sources: Kaplan et al., arXiv
2001.08361; Chowdhery et al., arXiv 2204.02311, appendix B, where too the masked half of attention counts.
"""

from __future__ import annotations

from ..models import Transformer
from ..nn import paths


def matmul_parameters(model: Transformer) -> int:
    """Entries of all matrices that multiply: not those of tables in which rows are only looked up."""
    tables = [model.position, model.token if model.head is not None else None]
    vectors = sum(p.size for p in paths.flatten(model).values() if p.ndim < 2)
    return paths.count(model) - vectors - sum(paths.count(table) for table in tables)


def flops_per_token(model: Transformer, training: bool = True) -> int:
    """Floating-point operations for one token of a full context; with `training`, the way back too."""
    c = model.config
    forward = 2 * matmul_parameters(model) + 4 * c.layers * c.context * c.width
    return 3 * forward if training else forward
