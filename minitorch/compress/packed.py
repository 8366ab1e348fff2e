"""How does a model compute with codes? The product turns them into numbers on the way, a register full at a time.

Writing a token multiplies one vector with every matrix of the model, and waits for memory: it costs as long as it takes
to read the matrix. Codes are a quarter or an eighth as long to read, as long as nobody first writes them out as
float32. XLA's CPU compiler fuses the conversion into a product only where a vector (1, I) meets the transpose of a
matrix (R, I) and nothing follows that it could fuse the product into instead; `_fused` has that form, and
`benchmarks/compress.md` shows what comes of others. More vectors share the work of converting, a piece of the matrix
after the other.

Axes: N vectors, R rows (outputs, or tokens of a table), I inputs, G groups of a row, g numbers in a group.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from .. import ops
from ..autodiff import primitive
from ..nn import Module, static
from .scheme import Rounded, Scheme, decode, encode, levels

Array = jax.Array
FEW = 4  # vectors are multiplied one by one; more are worth converting the matrix for
PIECE = 2**19  # numbers that are float32 at a time: few enough to stay in a core's cache
LONGEST = 4032  # numbers of a vector in one fused product: XLA fuses below 16 KiB of them


class Packed(Module):
    """A matrix (R, I) in codes of 8 bits, or of 4 bits, two in a byte.

    Inside a group of g codes of 4 bits, byte i holds code i in its low half and code i + g / 2 in its high half.
    """

    codes: Array  # int8 (R, I) or (R, I / 2)
    scale: Array  # bfloat16 (R, G), (R, 1) or (1, 1)
    zero: Array | None  # int8, as the scale
    scheme: Scheme = static()

    @classmethod
    def of(cls, x: Any, scheme: Scheme) -> Packed:
        """Round a matrix (R, I). Raises ValueError as `rounding.encode` does."""
        return cls.pack(encode(x, scheme), scheme)

    @classmethod
    def pack(cls, rounded: Rounded, scheme: Scheme) -> Packed:
        """Codes as they are kept: of 4 bits, two in a byte."""
        codes, scale, zero = rounded
        if scheme.bits == 4:
            low, high = jnp.split(codes.reshape(len(codes), _groups(scale), 2, -1), 2, axis=2)
            codes = (low & 15 | high << 4).reshape(len(codes), -1)
        return cls(codes, scale, zero, scheme)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers in a row, (R, I)."""
        rows, width = self.codes.shape
        return rows, width * 8 // self.scheme.bits

    def unpacked(self) -> Rounded:
        """A code for each number again, int8 (R, I)."""
        codes = self.codes
        if self.scheme.bits == 4:
            halves = jnp.stack(_nibbles(codes.reshape(len(codes), _groups(self.scale), -1)), axis=2)
            codes = halves.reshape(len(codes), -1)
        return Rounded(codes, self.scale, self.zero)

    def numbers(self) -> Array:
        """All of it as float32 (R, I): to look at, or for many products at once."""
        return decode(self.unpacked(), self.scheme)

    def rows(self, ids: Array) -> Array:
        """The rows of that number: ids (...) to float32 (..., I). Others, as in `nn.Embedding`, are NaN."""
        take = functools.partial(jnp.take, indices=ids.reshape(-1), axis=0, mode="clip")
        rows = self.map(lambda part: part if len(part) == 1 < len(self.codes) else take(part)).numbers()
        rows = jnp.where(((ids >= 0) & (ids < len(self.codes))).reshape(-1, 1), rows, jnp.nan)
        return rows.reshape(*ids.shape, -1)

    def map(self, fun: Any) -> Packed:
        """With `fun(part)` for each array."""
        return jax.tree.map(fun, self)


def product(x: Any, matrix: Packed) -> Any:
    """x (..., I) with every row: (..., R), in the dtype of `x`. Differentiable in `x`."""
    return _product(x, matrix)


def _product_rule(g: Any, y: Any, x: Any, matrix: Packed) -> Any:
    return ops.matmul(g, ops.astype(matrix.numbers(), g.dtype))


@primitive(_product_rule)
def _product(x: Any, matrix: Packed) -> Any:
    vectors = x.reshape(-1, x.shape[-1]).astype(jnp.float32)
    if matrix.scheme.dynamic:
        y = _whole_numbers(vectors, matrix)
    elif len(vectors) <= FEW:
        y = jnp.concatenate([_fused(vectors[i : i + 1], matrix) for i in range(len(vectors))])
    else:
        y = _by_pieces(vectors, matrix)
    return y.reshape(*x.shape[:-1], -1).astype(x.dtype)


def _fused(x: Array, matrix: Packed) -> Array:
    """One vector (1, I) with a matrix that is never written out: (1, R)."""
    rows, groups = len(matrix.codes), _groups(matrix.scale)
    # Tied to the vector, for what is the same in each turn of a loop XLA would convert once, before the loop.
    x, matrix = jax.lax.optimization_barrier((x, matrix))
    halves = [matrix.codes] if matrix.scheme.bits == 8 else _nibbles(matrix.codes)
    scale, zero = matrix.scale.astype(jnp.float32), matrix.zero
    y = jnp.zeros((1, rows))
    for xs, half in zip(jnp.split(x.reshape(groups, -1), len(halves), axis=1), halves, strict=True):
        numbers = levels(half, matrix.scheme).reshape(rows, groups, -1)  # Of two axes first: so XLA looks up faster.
        numbers = numbers if zero is None else numbers - zero[..., None].astype(jnp.float32)
        numbers = numbers * scale[..., None] if groups > 1 else numbers
        xs, numbers = _settled(xs.reshape(1, -1)), numbers.reshape(rows, -1)
        for start in range(0, xs.shape[1], LONGEST):
            part = slice(start, start + LONGEST)
            # Without the barrier XLA would rather fuse the product into the sum.
            y = y + jax.lax.optimization_barrier(xs[:, part] @ numbers[:, part].T)
    return y if groups > 1 else y * scale[:, 0]


def _settled(x: Array) -> Array:
    """`x` written out once. What made it (a norm, an activation) XLA would else do again for each row of a product.

    It does not repeat a division. This one is by 1, which XLA cannot know: only NaN does not equal itself.
    """
    return x / (x == x).astype(x.dtype)


def _by_pieces(x: Array, matrix: Packed) -> Array:
    """Vectors (N, I) with the matrix, of which a few rows at a time are float32: (N, R)."""
    rows, inputs = matrix.shape
    size = max(1, PIECE // inputs)
    if rows <= 2 * size:
        return x @ matrix.numbers().T
    matrix = matrix.map(lambda part: jnp.broadcast_to(part, (rows, part.shape[1])))
    whole = rows // size * size
    pieces = matrix.map(lambda part: part[:whole].reshape(whole // size, size, -1))
    y = jax.lax.map(lambda piece: x @ piece.numbers().T, pieces)  # (pieces, N, size)
    y = jnp.moveaxis(y, 0, 1).reshape(len(x), whole)
    if whole == rows:
        return y
    return jnp.concatenate([y, x @ matrix.map(lambda part: part[whole:]).numbers().T], axis=1)


def _whole_numbers(x: Array, matrix: Packed) -> Array:
    """Both sides in 8 bits, their products added up as int32."""
    ours = encode_rows(x)
    sums = jax.lax.dot_general(ours.codes, matrix.codes, (((1,), (1,)), ((), ())), preferred_element_type=jnp.int32)
    return sums * ours.scale.astype(jnp.float32) * matrix.scale[:, 0].astype(jnp.float32)


def encode_rows(x: Array) -> Rounded:
    """Activations (N, I) in 8 bits, each row by its own largest number; NaN and infinity stay visible in the scale."""
    scale = jnp.abs(x).max(axis=1, keepdims=True) / 127
    codes = jnp.round(x / jnp.where(scale > 0, scale, 1))
    return Rounded(codes.astype(jnp.int8), scale, None)


def _groups(scale: Array) -> int:
    return scale.shape[1]


def _nibbles(codes: Array) -> list[Array]:
    """The low and the high half of each byte, with sign."""
    return [(codes << 4) >> 4, codes >> 4]
