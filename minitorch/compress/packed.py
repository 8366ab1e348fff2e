"""Packed matrices: dequantize inside the matmul, so that weights stay packed in memory.

To generate a token, one vector is multiplied with every matrix of the model, and the time is the time to read the
matrices from memory. Codes have a quarter or an eighth of the bytes, which helps only if no float32 copy of the matrix
is written first. XLA's CPU compiler fuses the dequantization into the matmul only for a vector (1, I) times the
transpose of a matrix (R, I), and only if it cannot fuse the matmul into a later operation instead. `_matvec` has this
form; `benchmarks/compress.md` measures other forms. With more vectors, the matrix is dequantized in chunks of rows.

Axes: N vectors, R rows (outputs, or tokens of an embedding), I inputs, G groups in a row, g numbers in a group.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from .. import ops
from ..autodiff import primitive
from ..nn import Module, static
from ..nn.embedding import as_ids
from .scheme import SMALLEST, Quantized, Scheme, dequantize, lookup_levels, quantize_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._types import Array

MATVEC_LIMIT = 4  # Up to this number of vectors are multiplied one by one.
CHUNK = 2**19  # Numbers that are float32 at a time: few enough for a core's cache.
FUSED_INPUTS = 4032  # Inputs of one fused matmul: XLA fuses below 16 KiB of them.


class PackedMatrix(Module):
    """A matrix (R, I) as codes of 8 bits, or as codes of 4 bits, two in a byte.

    In a group of g codes of 4 bits, byte i holds code i in its low half and code i + g / 2 in its high half.
    """

    codes: Array  # int8 (R, I) or (R, I / 2)
    scale: Array  # bfloat16 (R, G), (R, 1) or (1, 1)
    zero: Array | None  # int8, shaped like `scale`
    scheme: Scheme = static()

    @classmethod
    def quantize(cls, x: Any, scheme: Scheme) -> PackedMatrix:
        """Quantize and pack a matrix (R, I). Raises ValueError as `scheme.quantize_matrix` does."""
        return cls.pack(quantize_matrix(x, scheme), scheme)

    @classmethod
    def pack(cls, quantized: Quantized, scheme: Scheme) -> PackedMatrix:
        """Pack codes: two of 4 bits into a byte."""
        codes, scale, zero = quantized
        if scheme.bits == 4:
            low, high = jnp.split(codes.reshape(len(codes), scale.shape[1], 2, -1), 2, axis=2)
            codes = (low & 15 | high << 4).reshape(len(codes), -1)
        return cls(codes, scale, zero, scheme)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (R, I) of the matrix that the codes represent."""
        rows, width = self.codes.shape
        return rows, width * 8 // self.scheme.bits

    def unpack(self) -> Quantized:
        """Return one code per number: int8 (R, I)."""
        codes = self.codes
        if self.scheme.bits == 4:
            halves = jnp.stack(_nibbles(codes.reshape(len(codes), self.scale.shape[1], -1)), axis=2)
            codes = halves.reshape(len(codes), -1)
        return Quantized(codes, self.scale, self.zero)

    def dequantize(self) -> Array:
        """Return the whole matrix as float32 (R, I)."""
        return dequantize(self.unpack(), self.scheme)

    def take(self, ids: Array) -> Array:
        """Return the rows `ids` (...) as float32 (..., I), with NaN and errors as in `nn.Embedding`."""
        ids = as_ids("QuantizedEmbedding", ids)
        take = functools.partial(jnp.take, indices=ids.reshape(-1), axis=0, mode="clip")
        rows = self.map(lambda part: part if len(part) == 1 < len(self.codes) else take(part)).dequantize()
        rows = jnp.where(((ids >= 0) & (ids < len(self.codes))).reshape(-1, 1), rows, jnp.nan)
        return rows.reshape(*ids.shape, -1)

    def map(self, fun: Callable[[Array], Array]) -> PackedMatrix:
        """Return a copy with `fun(array)` in place of each array."""
        return jax.tree.map(fun, self)


def matmul(x: Any, matrix: PackedMatrix) -> Any:
    """Return x @ matrix.T for x (..., I): (..., R), in the dtype of `x`. Differentiable in `x`."""
    return _matmul(x, matrix)


def _matmul_rule(g: Any, y: Any, x: Any, matrix: PackedMatrix) -> Any:
    return ops.matmul(g, ops.astype(matrix.dequantize(), g.dtype))


@primitive(_matmul_rule)
def _matmul(x: Any, matrix: PackedMatrix) -> Any:
    vectors = x.reshape(-1, x.shape[-1]).astype(jnp.float32)  # (N, I)
    if matrix.scheme.dynamic:
        y = _matmul_int8(vectors, matrix)
    elif len(vectors) <= MATVEC_LIMIT:
        y = jnp.concatenate([_matvec(vectors[i : i + 1], matrix) for i in range(len(vectors))])
    else:
        y = _matmul_chunked(vectors, matrix)
    return y.reshape(*x.shape[:-1], -1).astype(x.dtype)


def _matvec(x: Array, matrix: PackedMatrix) -> Array:
    """Multiply one vector (1, I) with a matrix that is never written as float32: (1, R)."""
    rows, groups = len(matrix.codes), matrix.scale.shape[1]
    # The barrier ties the matrix to the vector. Otherwise XLA would dequantize a loop-invariant matrix before the loop.
    x, matrix = jax.lax.optimization_barrier((x, matrix))
    halves = [matrix.codes] if matrix.scheme.bits == 8 else _nibbles(matrix.codes)
    scale, zero = matrix.scale.astype(jnp.float32), matrix.zero
    y = jnp.zeros((1, rows))
    for xs, half in zip(jnp.split(x.reshape(groups, -1), len(halves), axis=1), halves, strict=True):
        w = lookup_levels(half, matrix.scheme).reshape(rows, groups, -1)  # XLA looks up two axes faster than three.
        w = w if zero is None else w - zero[..., None].astype(jnp.float32)
        w = w * scale[..., None] if groups > 1 else w
        xs, w = _materialize(xs.reshape(1, -1)), w.reshape(rows, -1)
        for start in range(0, xs.shape[1], FUSED_INPUTS):
            part = slice(start, start + FUSED_INPUTS)
            # Without the barrier XLA would fuse the matmul into the sum, and not the dequantization into the matmul.
            y = y + jax.lax.optimization_barrier(xs[:, part] @ w[:, part].T)
    return y if groups > 1 else y * scale[:, 0]


def _materialize(x: Array) -> Array:
    """Force XLA to compute `x` once. Otherwise it recomputes its producer (a norm, an activation) for each row.

    XLA does not recompute a division. This one divides by 1, which XLA cannot know: only NaN differs from itself.
    """
    return x / (x == x).astype(x.dtype)


def _matmul_chunked(x: Array, matrix: PackedMatrix) -> Array:
    """Multiply vectors (N, I) with the matrix, of which a chunk of rows is float32 at a time: (N, R)."""
    rows, inputs = matrix.shape
    size = max(1, CHUNK // inputs)
    if rows <= 2 * size:
        return x @ matrix.dequantize().T
    matrix = matrix.map(lambda part: jnp.broadcast_to(part, (rows, part.shape[1])))
    whole = rows // size * size
    chunks = matrix.map(lambda part: part[:whole].reshape(whole // size, size, -1))
    y = jax.lax.map(lambda chunk: x @ chunk.dequantize().T, chunks)  # (chunks, N, size)
    y = jnp.moveaxis(y, 0, 1).reshape(len(x), whole)
    if whole == rows:
        return y
    return jnp.concatenate([y, x @ matrix.map(lambda part: part[whole:]).dequantize().T], axis=1)


def _matmul_int8(x: Array, matrix: PackedMatrix) -> Array:
    """Quantize vectors (N, I) to 8 bits and multiply integers, with sums in int32: (N, R)."""
    vectors = quantize_rows(x)
    sums = jax.lax.dot_general(vectors.codes, matrix.codes, (((1,), (1,)), ((), ())), preferred_element_type=jnp.int32)
    return sums * vectors.scale.astype(jnp.float32) * matrix.scale[:, 0].astype(jnp.float32)


def quantize_rows(x: Array) -> Quantized:
    """Quantize activations (N, I) to 8 bits, each row by its largest number. NaN and infinity remain in the scale.

    The error is at most half a scale, which is float32 (N, 1) and at least 2^-126.
    """
    x = x.astype(jnp.float32)
    scale = jnp.maximum(jnp.abs(x).max(axis=1, keepdims=True) / 127, SMALLEST)
    codes = jnp.round(x / scale)
    return Quantized(codes.astype(jnp.int8), scale, None)


def _nibbles(codes: Array) -> list[Array]:
    """Return the low and the high half of each byte, sign-extended."""
    return [(codes << 4) >> 4, codes >> 4]
