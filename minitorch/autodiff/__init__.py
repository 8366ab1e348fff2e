"""Automatic differentiation.

Read `scalar` (the whole idea on single numbers), then `tape` (the same on arrays), `transforms` (what a user calls) and
`gradcheck` (how to know that a derivative is right).
"""

from .gradcheck import check_grads
from .tape import Primitive, Tape, Tensor, nondifferentiable, primitive
from .transforms import checkpoint, from_jax, grad, jvp, stop_gradient, value_and_grad, vjp

__all__ = [
    "Primitive",
    "Tape",
    "Tensor",
    "check_grads",
    "checkpoint",
    "from_jax",
    "grad",
    "jvp",
    "nondifferentiable",
    "primitive",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
