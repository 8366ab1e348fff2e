"""Values between two processes: as JSON without rounding, read back safely, and compared.

A probe sends what the student's code gave out of a process that nobody trusts. So an array travels as its bytes beside
its dtype and shape, never as a pickle, and reading allows a fixed set of kinds and a fixed size: whatever else arrives
is a ValueError, not a crash.
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
KINDS = {  # What an array may hold, and which kind of number that is.
    **{"bool": "bool", "bfloat16": "float", "complex64": "complex", "complex128": "complex"},
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": "float" for bits in (16, 32, 64)},
}


@dataclass(frozen=True)
class Unreadable:
    """Stands for a value that is no number, text or container of them: a function, a module, a traced array."""

    kind: str


def plain(value: Any, depth: int = 0) -> Any:
    """The value with NumPy arrays in place of all arrays, and `Unreadable` in place of what cannot be sent.

    Raises ValueError where containers are nested deeper than `DEPTH`, such as a list that holds itself.
    """
    if depth > DEPTH:
        raise ValueError(f"The value is nested more than {DEPTH} deep: give a flat list, tuple or dict.")
    if value is None or isinstance(value, Unreadable):
        return value
    if isinstance(value, jax.Array | np.ndarray | np.generic):
        return _plain_array(value)
    kinds: tuple[Any, ...] = (bool, int, float, complex, str)
    for kind in kinds:
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)([plain(v, depth + 1) for v in value])
    if isinstance(value, Mapping) and all(map(_is_key, value)):
        return {plain(k): plain(v, depth + 1) for k, v in value.items()}
    return Unreadable(type(value).__name__)


def _is_key(key: Any) -> bool:
    return key is None or isinstance(key, bool | int | float | str)


def _plain_array(value: Any) -> Any:
    if isinstance(value, Tracer):
        return Unreadable("value that JAX is tracing")
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, dtypes.prng_key):
        return Unreadable("random key")
    array = np.array(value, subok=False)
    if array.dtype.name not in KINDS:
        return Unreadable(f"array of {array.dtype.name}")
    return array.astype(array.dtype.newbyteorder("=")) if array.dtype.byteorder in "<>" else array


def encode(value: Any) -> Any:
    """The value as JSON: numbers in hexadecimal, arrays as base64 of their bytes.

    What cannot be sent, or is larger than `LIMIT` bytes, arrives as `Unreadable`. Raises ValueError as `plain` does.
    """
    return _encode(plain(value))


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
    return {"unreadable": value.kind}


def _encode_array(array: np.ndarray) -> dict[str, Any]:
    if array.nbytes > LIMIT // 2:
        return {"unreadable": f"{describe(array)}, too large to send"}
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return {"array": array.dtype.name, "shape": list(array.shape), "data": data}


def decode(encoded: Any, limit: int = LIMIT) -> Any:
    """The value that `encode` was given, with NumPy arrays for arrays.

    Raises ValueError for anything that `encode` does not write, and for more than `limit` bytes.
    """
    return _Reader(limit).read(encoded, 0)


class _Reader:
    """Reads one value, and counts what it may still take."""

    def __init__(self, limit: int):
        self.left = limit

    def read(self, encoded: Any, depth: int) -> Any:
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
        raise ValueError(f"A {type(encoded).__name__} is not how a value is sent.")

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
        if tag == "unreadable":
            return Unreadable(self._text(content))
        raise ValueError(f"{tag[:40]!r} is not a kind of value, or what it holds is malformed.")

    def _pair(self, pair: Any, depth: int) -> tuple[Any, Any]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError("A dict is sent as pairs of key and value.")
        key = self.read(pair[0], depth + 1)
        if not _is_key(key):
            raise ValueError("The keys of a dict are text or numbers.")
        return key, self.read(pair[1], depth + 1)

    def _array(self, encoded: dict[str, Any]) -> np.ndarray:
        name, shape = self._text(encoded["array"]), encoded.get("shape")
        if name not in KINDS:
            raise ValueError(f"{name[:40]!r} is not a dtype that can be sent.")
        if (
            not isinstance(shape, list)
            or len(shape) > DEPTH
            or not all(type(n) is int and 0 <= n <= LIMIT for n in shape)
        ):
            raise ValueError("The shape of an array is a list of sizes.")
        dtype = dtype_of(name)
        try:
            data = base64.b64decode(self._text(encoded.get("data")), validate=True)
        except binascii.Error as error:
            raise ValueError(f"The bytes of an array are malformed: {error}.") from None
        if math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"An array of {name} with shape {shape} does not have {len(data)} bytes.")
        if name == "bool":  # Any byte but 0 counts as true.
            return np.frombuffer(data, np.uint8).reshape(shape) != 0
        return np.frombuffer(data, dtype).reshape(shape)

    def _text(self, text: Any) -> str:
        if not isinstance(text, str):
            raise ValueError("Numbers are sent as text.")
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
    return np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)


def name_of(number: Any) -> str:
    """`float32` of an array, `float` of a Python number."""
    return number.dtype.name if isinstance(number, np.ndarray) else type(number).__name__


def kind_of(value: Any) -> str | None:
    """`bool`, `int`, `float` or `complex` of a number or an array; None of anything else."""
    name = name_of(value)
    return KINDS.get(name, name if name in ("bool", "int", "float", "complex") else None)


def describe(value: Any) -> str:
    """What kind of thing a plain value is, without its numbers: `float32 (3, 5)`, `list of 2 (int, int)`."""
    match value:
        case np.ndarray():
            return f"{value.dtype.name} {value.shape}"
        case list() | tuple():
            inside = f" ({', '.join(map(describe, value))})" if 0 < len(value) <= 4 else ""
            return f"{type(value).__name__} of {len(value)}{inside}"[:200]
        case dict():
            return f"dict of {', '.join(map(str, value))}"[:200]
        case Unreadable():
            return value.kind
    return "None" if value is None else type(value).__name__
