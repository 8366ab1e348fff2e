"""Products of arrays: `matmul`, and `einsum`, which generalizes all others.

A product is linear in each of its operands, so each rule is again a product, with the cotangent in place of the
operand.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from ..autodiff import primitive
from .shapes import in_order, reshape, transpose, unbroadcast


def _matrix_transpose(x: Any) -> Any:
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _flatten(x: Any) -> Any:
    """Merge all axes but the last."""
    return reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _matmul_rule_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return unbroadcast(reshape(g, (*g.shape, 1)) * b, a)
    if a.ndim == 1:  # The row a[None, :]; the result has one axis less.
        return unbroadcast(reshape(matmul(b, reshape(g, (*g.shape, 1))), b.shape[:-1]), a)
    if a.ndim == 2 and b.ndim > 2:  # One matrix for the whole batch, as the weight below.
        return unbroadcast(matmul(transpose(_flatten(_matrix_transpose(g))), _flatten(_matrix_transpose(b))), a)
    return unbroadcast(matmul(g, _matrix_transpose(b)), a)


def _matmul_rule_b(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return unbroadcast(
            reshape(a, (*a.shape, 1)) * reshape(g, (*b.shape[:-2], 1, g.shape[-1])) if b.ndim > 1 else a * g, b
        )
    if b.ndim == 1:
        return unbroadcast(matmul(reshape(g, (g.size,)), _flatten(a)), b)
    if b.ndim == 2:  # A weight: one long 2-D product is twice as fast on a CPU as a contraction over several axes.
        return unbroadcast(matmul(transpose(_flatten(a)), _flatten(g)), b)
    return unbroadcast(matmul(_matrix_transpose(a), g), b)


@primitive(_matmul_rule_a, _matmul_rule_b)
def matmul(a: Any, b: Any) -> Any:
    """Return the matrix product `a @ b`, (..., M, K) x (..., K, N) -> (..., M, N), as `jax.numpy.matmul`.

    Leading axes broadcast. A 1-D `a` is a row and a 1-D `b` a column, and the result has no axis for it.
    """
    return jnp.matmul(a, b)


def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Any:
    """Return the sum of products over `axes`, as `jax.numpy.tensordot`; the other axes follow in order.

    `axes` is a number n (the last n axes of `a` and the first n of `b`), or a pair (axes of `a`, axes of `b`).

    Raises:
      ValueError: the two lists of axes differ in length, or name axes of different lengths.
    """
    pair: Any = axes
    if not (isinstance(pair, Sequence) or getattr(pair, "ndim", 0)):
        pair = range(a.ndim - pair, a.ndim), range(pair)
    over_a, over_b = (in_order(axis, x.ndim) for axis, x in zip(pair, (a, b), strict=True))
    lengths_a, lengths_b = [a.shape[i] for i in over_a], [b.shape[i] for i in over_b]
    if lengths_a != lengths_b:
        raise ValueError(
            f"tensordot of shapes {a.shape} and {b.shape} sums axes {over_a} of the first with axes {over_b} of the"
            f" second, whose lengths {lengths_a} and {lengths_b} differ: name axes of equal length, in the same order."
        )
    free_a = [i for i in range(a.ndim) if i not in over_a]
    free_b = [i for i in range(b.ndim) if i not in over_b]
    shape_a, shape_b = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    rows = reshape(transpose(a, (*free_a, *over_a)), (math.prod(shape_a), math.prod(lengths_a)))
    columns = reshape(transpose(b, (*over_b, *free_b)), (math.prod(lengths_b), math.prod(shape_b)))
    return reshape(matmul(rows, columns), (*shape_a, *shape_b))


def dot(a: Any, b: Any) -> Any:
    """Return the sum of products over the last axis of `a` and the last but one (or only) axis of `b`, as `jnp.dot`."""
    if not _ndim(a) or not _ndim(b):
        return a * b
    return matmul(a, b) if b.ndim <= 2 else tensordot(a, b, (-1, -2))


def vdot(a: Any, b: Any) -> Any:
    """Return the sum of the products of all numbers of two real arrays of one size, as `jax.numpy.vdot`."""
    return matmul(reshape(a, (a.size,)), reshape(b, (b.size,)))


def inner(a: Any, b: Any) -> Any:
    """Return the sum of products over both last axes, as `jax.numpy.inner`."""
    return tensordot(a, b, (-1, -1)) if _ndim(a) and _ndim(b) else a * b


def outer(a: Any, b: Any) -> Any:
    """Return every number of `a` times every number of `b`, (a.size, b.size), as `jax.numpy.outer`."""
    return reshape(a, (a.size, 1)) * reshape(b, (1, b.size))


def _einsum_rule(g: Any, y: Any, *operands: Any, subscripts: str) -> tuple[Any, ...]:
    inputs, output = _split(subscripts)
    return tuple(_operand_cotangent(g, output, operands, inputs, i) for i in range(len(operands)))


def _operand_cotangent(g: Any, output: str, operands: tuple[Any, ...], inputs: list[str], i: int) -> Any:
    """Return the cotangent of operand `i`: an einsum with `g` in its place, and its subscripts as the output.

    `ij,jk->ik` gives `ik,jk->ij`. Two kinds of subscripts need another operand. One that occurs in operand `i` only was
    summed: a vector of ones repeats `g` along it. One that occurs there twice was a diagonal: an identity matrix
    restores it.
    """
    x, result = operands[i], ""
    arrays = [g, *operands[:i], *operands[i + 1 :]]
    terms = [output, *inputs[:i], *inputs[i + 1 :]]
    found = {pair for array, term in zip(arrays, terms, strict=True) for pair in zip(term, array.shape, strict=True)}
    for letter, length in zip(inputs[i], x.shape, strict=True):
        if letter in result:
            fresh = _unused("".join(terms) + result)
            arrays, terms = [*arrays, jnp.eye(length, dtype=g.dtype)], [*terms, letter + fresh]
            letter = fresh
        elif (letter, length) not in found:  # Not found, or found only with length 1, to be broadcast.
            arrays, terms = [*arrays, jnp.ones(length, g.dtype)], [*terms, letter]
        result += letter
    return unbroadcast(_einsum(*arrays, subscripts=f"{','.join(terms)}->{result}"), x)


@primitive(joint=_einsum_rule)
def _einsum(*operands: Any, subscripts: str) -> Any:
    return jnp.einsum(subscripts, *operands)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Return sums of products in Einstein's notation, as `jax.numpy.einsum`: `einsum("bthd,bshd->bhts", q, k)`.

    Subscripts that do not occur after `->` are summed; without `->` those that occur once are kept, in alphabetical
    order. `...` stands for any axes, which broadcast. Axes of length 1 broadcast.

    Raises:
      ValueError: the number of subscripts does not match the operands or their axes.
    """
    return _einsum(*operands, subscripts=_explicit(subscripts, [x.ndim for x in operands]))


def _explicit(subscripts: str, ndims: list[int]) -> str:
    """Return `subscripts` with a letter for each axis of an ellipsis, and with an explicit output."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum {subscripts!r} describes {len(terms)} operands but was given {len(ndims)}.")
    unnamed = [n - len(term.replace("...", "")) for term, n in zip(terms, ndims, strict=True)]
    for term, n, extra in zip(terms, ndims, unnamed, strict=True):
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(f"einsum {subscripts!r}: {term!r} names {n - extra} axes of an operand that has {n}.")
    letters = _unused(subscripts, max(unnamed))
    terms = [t.replace("...", letters[len(letters) - extra :]) for t, extra in zip(terms, unnamed, strict=True)]
    if not arrow:
        output = letters + "".join(sorted(c for c in set(inputs) - set(".,") if inputs.count(c) == 1))
    return f"{','.join(terms)}->{output.replace('...', letters)}"


def _split(subscripts: str) -> tuple[list[str], str]:
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


def _unused(taken: str, count: int = 1) -> str:
    return "".join([c for c in string.ascii_letters if c not in taken][:count])


def _ndim(x: Any) -> int:
    return getattr(x, "ndim", 0)
