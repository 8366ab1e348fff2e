"""Serialization of values to JSON without rounding, and safe decoding.

A hidden test sends a value out of an untrusted process. An array is therefore encoded as its bytes, dtype and shape,
never as a pickle. `decode` accepts a fixed set of kinds and a fixed size, and raises ValueError for everything else.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax import dtypes
from jax.core import Tracer

LIMIT = 2**24  # bytes
DEPTH = 32
KINDS = {  # The dtypes that an array may have, and their kinds.
    **{"bool": "bool", "bfloat16": "float", "complex64": "complex", "complex128": "complex"},
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": "float" for bits in (16, 32, 64)},
}


@dataclass(frozen=True)
class Unserializable:
    """The place of a value that cannot be sent, such as a function, a module or a traced array."""

    kind: str


def to_plain(value: Any, depth: int = 0) -> Any:
    """Convert all arrays in a value to NumPy arrays, and what cannot be sent to `Unserializable`.

    Raises:
      ValueError: containers are nested deeper than `DEPTH`, as in a list that contains itself.
    """
    if depth > DEPTH:
        raise ValueError(f"The value is nested more than {DEPTH} deep: return a flat list, tuple or dict.")
    if value is None or isinstance(value, Unserializable):
        return value
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _plain_array(value)
    kinds: tuple[Any, ...] = (bool, int, float, complex, str)
    for kind in kinds:
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)([to_plain(v, depth + 1) for v in value])
    if isinstance(value, Mapping) and all(map(_is_key, value)):
        return {to_plain(k): to_plain(v, depth + 1) for k, v in value.items()}
    return Unserializable(type(value).__name__)


def _is_key(key: Any) -> bool:
    return key is None or isinstance(key, bool | int | float | str)


def _plain_array(value: Any) -> Any:
    if isinstance(value, Tracer):
        return Unserializable("value that JAX is tracing")
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, dtypes.prng_key):
        return Unserializable("random key")
    array = np.array(value, subok=False)
    if array.dtype.name not in KINDS:
        return Unserializable(f"array of {array.dtype.name}")
    return array.astype(array.dtype.newbyteorder("=")) if array.dtype.byteorder in "<>" else array


def encode(value: Any) -> Any:
    """Encode a value as JSON: numbers in hexadecimal, arrays as base64 of their bytes.

    A value that cannot be sent, or is larger than `LIMIT` bytes, is decoded as `Unserializable`.

    Raises:
      ValueError: see `to_plain`.
    """
    return _encode(to_plain(value))


def _encode(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return {"int": hex(value)}
        case float():
            return {"float": value.hex()}
        case complex():
            return {"complex": [value.real.hex(), value.imag.hex()]}
        case np.ndarray():
            return _encode_array(value)
        case list():
            return [_encode(v) for v in value]
        case tuple():
            return {"tuple": [_encode(v) for v in value]}
        case dict():
            return {"dict": [[_encode(k), _encode(v)] for k, v in value.items()]}
    return {"unserializable": value.kind}


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    if array.nbytes > LIMIT // 2:
        return {"unserializable": f"{describe(array)}, too large to send"}
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return {"array": array.dtype.name, "shape": list(array.shape), "data": data}


def decode(encoded: Any, limit: int = LIMIT) -> Any:
    """Decode a value of `encode`; arrays become NumPy arrays.

    Raises:
      ValueError: `encode` does not write such a value, or it has more than `limit` bytes.
    """
    return _Reader(limit).read(encoded, 0)


class _Reader:
    """Decoder of one value that counts the bytes left to it."""

    def __init__(self, limit: int):
        self.left = limit

    def read(self, encoded: Any, depth: int) -> Any:
        """Decode one value and what it contains."""
        self._spend(8)
        if depth > DEPTH:
            raise ValueError(f"The value is nested more than {DEPTH} deep.")
        if encoded is None or isinstance(encoded, bool):
            return encoded
        if isinstance(encoded, str):
            self._spend(len(encoded))
            return encoded
        if isinstance(encoded, list):
            return [self.read(e, depth + 1) for e in encoded]
        if isinstance(encoded, dict) and "array" in encoded:
            return self._array(encoded)
        if isinstance(encoded, dict) and len(encoded) == 1:
            return self._tagged(*next(iter(encoded.items())), depth)
        raise ValueError(f"A {type(encoded).__name__} does not encode a value.")

    def _tagged(self, tag: str, content: Any, depth: int) -> Any:
        if tag == "tuple" and isinstance(content, list):
            return tuple(self.read(content, depth))
        if tag == "dict" and isinstance(content, list):
            return dict(self._pair(pair, depth) for pair in content)
        if tag == "complex" and isinstance(content, list) and len(content) == 2:
            return complex(*(_float(self._text(part)) for part in content))
        if tag == "int":
            return int(self._text(content), 16)
        if tag == "float":
            return _float(self._text(content))
        if tag == "unserializable":
            return Unserializable(self._text(content))
        raise ValueError(f"{tag[:40]!r} does not encode a value, or its content is malformed.")

    def _pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("A dict is encoded as pairs of key and value.")
        key = self.read(pair[0], depth + 1)
        if not _is_key(key):
            raise ValueError("The keys of a dict must be text or numbers.")
        return key, self.read(pair[1], depth + 1)

    def _array(self, encoded: dict[str, Any]) -> np.ndarray:
        name, shape = self._text(encoded["array"]), encoded.get("shape")
        if name not in KINDS:
            raise ValueError(f"{name[:40]!r} is not the dtype of an array that can be sent.")
        if (
            not isinstance(shape, list)
            or len(shape) > DEPTH
            or not all(type(n) is int and 0 <= n <= LIMIT for n in shape)
        ):
            raise ValueError("The shape of an array must be a list of sizes.")
        dtype = dtype_of(name)
        try:
            data = base64.b64decode(self._text(encoded.get("data")), validate=True)
        except binascii.Error as error:
            raise ValueError(f"The bytes of an array are malformed: {error}.") from None
        if math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"An array of {name} with shape {shape} does not have {len(data)} bytes.")
        if name == "bool":  # Every byte except 0 is True.
            return np.frombuffer(data, np.uint8).reshape(shape) != 0
        return np.frombuffer(data, dtype).reshape(shape)

    def _text(self, text: Any) -> str:
        if not isinstance(text, str):
            raise ValueError("Numbers are encoded as text.")
        self._spend(len(text))
        return text

    def _spend(self, bytes: int) -> None:
        self.left -= bytes
        if self.left < 0:
            raise ValueError("The value is too large.")


def _float(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        raise ValueError(f"{text[:40]} is not a floating-point number.") from None


def dtype_of(name: str) -> np.dtype:
    """Return the dtype of that name, also bfloat16."""
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def name_of(number: Any) -> str:
    """Return `float32` for an array of that dtype, and `float` for a Python number."""
    return number.dtype.name if isinstance(number, np.ndarray) else type(number).__name__


def kind_of(value: Any) -> str | None:
    """Return `bool`, `int`, `float` or `complex` for a number or an array, and None for other values."""
    name = name_of(value)
    return KINDS.get(name, name if name in ("bool", "int", "float", "complex") else None)


def describe(value: Any) -> str:
    """Describe a plain value without its numbers: `float32 (3, 5)`, `list of 2 (int, int)`."""
    match value:
        case np.ndarray():
            return f"{value.dtype.name} {value.shape}"
        case list() | tuple():
            inside = f" ({', '.join(map(describe, value))})" if 0 < len(value) <= 4 else ""
            return f"{type(value).__name__} of {len(value)}{inside}"[:200]
        case dict():
            return f"dict of {', '.join(map(str, value))}"[:200]
        case Unserializable():
            return value.kind
    return "None" if value is None else type(value).__name__
