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
LARGEST = 2**1000  # Integers of Python beyond it count as this much where floats are compared.
DEPTH = 32
KINDS = {  # What an array may hold, and which kind of number that is.
    **{"bool": "bool", "bfloat16": "float", "complex64": "complex", "complex128": "complex"},
    **{f"{sign}int{bits}": "int" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": "float" for bits in (16, 32, 64)},
}
# Relative and absolute error that two right ways of computing may differ by. A Python float often came from a float32.
TOLERANCES = {"float16": (1e-2, 1e-3), "bfloat16": (4e-2, 1e-2), "float64": (1e-7, 1e-9)}
TOLERANCES |= {name: (1e-4, 1e-5) for name in ("float", "complex", "float32", "complex64")}
TOLERANCES["complex128"] = TOLERANCES["float64"]


@dataclass(frozen=True)
class Unreadable:
    """Stands for a value that is no number, text or container of them: a function, a module, a traced array."""

    kind: str


@dataclass(frozen=True)
class Tolerance:
    """How far a right value may be from the expected one: None takes what the dtypes allow.

    `atol` grows with the largest expected number where it is None, since rounding errors of a sum do. `dtype` demands
    exactly the expected dtype.
    """

    rtol: float | None = None
    atol: float | None = None
    dtype: bool = False

    def bounds(self, given: Any, expected: Any) -> np.ndarray:
        """How far each element may be from `expected` (finite float64 or complex numbers of any shape)."""
        # What is expected decides, so that an answer in bfloat16 is not let off. But NumPy's float64 is what float32
        # is often checked against.
        single = name_of(expected) in ("float64", "complex128") and name_of(given) != name_of(expected)
        rtol, atol = TOLERANCES.get("float32" if single else name_of(expected), (0.0, 0.0))
        size = np.abs(as_float(expected))
        size = np.where(np.isfinite(size), size, 0.0)
        atol += 0.01 * rtol * size.max(initial=0.0)
        rtol = rtol if self.rtol is None else self.rtol
        return (atol if self.atol is None else self.atol) + rtol * size


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


def as_float(number: Any) -> np.ndarray:
    """Any plain number as float64, or complex128: arithmetic on it neither wraps nor rounds to bfloat16."""
    if isinstance(number, int):
        number = min(max(number, -LARGEST), LARGEST)
    return np.asarray(number, np.complex128 if kind_of(number) == "complex" else np.float64)


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


def same(given: Any, expected: Any, tolerance: Tolerance | None = None) -> bool:
    """Is `given` a right answer? Both plain.

    Numbers agree within the tolerance, in shape and in kind (bool, int, float, complex); a Python number is an array of
    no axes; NaN equals only NaN and infinity the same infinity. A list equals a tuple. All else is equal or not.
    """
    tolerance = tolerance or Tolerance()
    if kind_of(expected):
        return _same_numbers(given, expected, tolerance)
    if isinstance(expected, list | tuple):
        return (
            isinstance(given, list | tuple)
            and len(given) == len(expected)
            and all(same(g, e, tolerance) for g, e in zip(given, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(given, dict)
            and given.keys() == expected.keys()
            and all(same(given[key], e, tolerance) for key, e in expected.items())
        )
    return type(given) is type(expected) and not isinstance(given, Unreadable) and given == expected


def _same_numbers(given: Any, expected: Any, tolerance: Tolerance) -> bool:
    if kind_of(given) != kind_of(expected) or np.shape(given) != np.shape(expected):
        return False
    if tolerance.dtype and name_of(given) != name_of(expected):
        return False
    return not differing(given, expected, tolerance).any()


def differing(given: Any, expected: Any, tolerance: Tolerance) -> np.ndarray:
    """Which elements of two plain numbers of one shape differ by more than the tolerance: an array of bools."""
    if kind_of(expected) in ("bool", "int"):
        return np.asarray(np.asarray(given, object) != np.asarray(expected, object), bool)
    bounds = tolerance.bounds(given, expected)
    given, expected = as_float(given), as_float(expected)
    if "complex" in (given.dtype.name[:7], expected.dtype.name[:7]):
        parts = (differing_floats(part(given), part(expected), bounds) for part in (np.real, np.imag))
        return np.logical_or(*parts)
    return differing_floats(given, expected, bounds)


def differing_floats(given: np.ndarray, expected: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        close = np.isfinite(given) & np.isfinite(expected) & (np.abs(given - expected) <= bounds)
        return ~(close | (given == expected) | (np.isnan(given) & np.isnan(expected)))
