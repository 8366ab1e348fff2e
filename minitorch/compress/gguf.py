"""The block formats Q8_0 and Q4_0 of llama.cpp (GGUF), bit for bit: 32 consecutive numbers share a float16 scale.

    Q8_0: the scale (2 bytes), then 32 codes of 8 bits; x = scale * code
    Q4_0: the scale (2 bytes), then 16 bytes: number i in the low half of byte i, number i + 16 in the high half;
          x = scale * (code - 8), with the scale for which the number farthest from 0 is exactly -8 scales

Unlike `scheme`, Q8_0 rounds halves away from 0 and Q4_0 rounds halves up, and both find the codes with the scale before
it is rounded to float16. Source: ggml-quants.c of https://github.com/ggml-org/llama.cpp; the tests compare with
llama.cpp's own package `gguf`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK = 32


def to_q8_0(x: Any) -> np.ndarray:
    """Quantize floats (..., I) to Q8_0 blocks: uint8 (..., I / 32 * 34).

    Raises:
      ValueError: 32 does not divide I, or a number is NaN, infinite or too large for the float16 scale.
    """
    blocks = _blocks(x)
    scale = np.abs(blocks).max(axis=-1, keepdims=True) / np.float32(127)
    scaled = blocks * _inverse(scale)
    codes = np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))
    return _join(scale, codes.astype(np.int8).view(np.uint8), x)


def from_q8_0(data: np.ndarray) -> np.ndarray:
    """Dequantize Q8_0 blocks: float32."""
    scale, codes = _split(data, 34)
    return (scale * codes.view(np.int8)).reshape(*data.shape[:-1], -1)


def to_q4_0(x: Any) -> np.ndarray:
    """Quantize floats (..., I) to Q4_0 blocks: uint8 (..., I / 32 * 18). Raises ValueError as `to_q8_0` does."""
    blocks = _blocks(x)
    farthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=-1, keepdims=True), axis=-1)
    scale = farthest / np.float32(-8)
    codes = np.trunc(blocks * _inverse(scale) + np.float32(8.5)).astype(np.uint8).clip(0, 15)
    return _join(scale, codes[..., :16] | codes[..., 16:] << 4, x)


def from_q4_0(data: np.ndarray) -> np.ndarray:
    """Dequantize Q4_0 blocks: float32."""
    scale, pairs = _split(data, 18)
    codes = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.int8) - 8
    return (scale * codes).reshape(*data.shape[:-1], -1)


def _blocks(x: Any) -> np.ndarray:
    x = np.asarray(x, np.float32)
    if not x.ndim or x.shape[-1] % BLOCK or not x.size:
        raise ValueError(
            f"blocks of {BLOCK} do not divide an array of shape {x.shape}: its last axis must be a multiple."
        )
    if not (np.abs(x) < 500_000).all():  # float16 ends at 65,504, and the scale of Q4_0 is an eighth of the largest.
        raise ValueError("a number is NaN, infinite or above 500,000, the limit of Q4_0: look for it first.")
    return x.reshape(*x.shape[:-1], -1, BLOCK)


def _inverse(scale: np.ndarray) -> np.ndarray:
    """Return 1 / scale, or 0 where that is infinite."""
    with np.errstate(divide="ignore", over="ignore"):
        inverse = 1 / scale
    return np.where(np.isfinite(inverse), inverse, np.float32(0))


def _join(scale: np.ndarray, codes: np.ndarray, x: Any) -> np.ndarray:
    data = np.concatenate([scale.astype(np.float16).view(np.uint8), codes], axis=-1)
    return data.reshape(*np.shape(x)[:-1], -1)


def _split(data: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the scales, float32 (..., blocks, 1), and the bytes that follow each scale."""
    if data.dtype != np.uint8 or not data.ndim or data.shape[-1] % size:
        raise ValueError(f"a block is {size} bytes (uint8), so {data.dtype} of shape {data.shape} holds no blocks.")
    blocks = data.reshape(*data.shape[:-1], -1, size)
    scale = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)
    return scale, np.ascontiguousarray(blocks[..., 2:])
