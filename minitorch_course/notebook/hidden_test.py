"""`draw` and `show`, of which the hidden probes are made: fresh inputs in, values out, judged elsewhere.

A probe calls the student's function on inputs from `draw` and passes the result to `show`, which sends it out of the
process without an opinion on it. So a student's process never holds an expected answer.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from ..answers.comparison import Tolerance, same
from ..answers.diagnose import diagnose
from ..answers.serialize import decode, describe, encode, plain
from .display import publish

SHOWN = "application/vnd.minitorch.value+json"
Item = TypeVar("Item")


class Draw:
    """Inputs for probes. Each call depends on the seed, the probe's name and the number of the call in it, and on
    nothing else, so that probes do not influence each other. The seed is `MINITORCH_SEED`, or 0."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, probe: str) -> None:
        """Start the streams of a probe. The engine puts this before the first line of its cell."""
        self.probe, self.calls, self.shows = probe, 0, 0
        self.drawn: list[np.ndarray] = []

    def normal(self, *shape: int) -> jax.Array:
        """Standard normal numbers: float32 of that shape."""
        return self._keep(self._stream().standard_normal(shape, np.float32))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> jax.Array:
        """Numbers between `low` and `high`: float32 of that shape."""
        return self._keep(self._stream().uniform(low, high, shape).astype(np.float32))

    def integers(self, *shape: int, low: int = 0, high: int = 10) -> jax.Array:
        """Whole numbers from `low` up to but without `high`: int32 of that shape."""
        return self._keep(self._stream().integers(low, high, shape, np.int32))

    def permutation(self, n: int) -> jax.Array:
        """The numbers 0 ... n - 1 in some order: int32."""
        return self._keep(self._stream().permutation(n).astype(np.int32))

    def scalar(self) -> float:
        """A standard normal number, as a Python float."""
        return float(np.float32(self._stream().standard_normal()))

    def choice(self, sequence: Sequence[Item]) -> Item:
        """One of the items."""
        return sequence[int(self._stream().integers(len(sequence)))]

    def key(self) -> jax.Array:
        """A key for `jax.random`."""
        return jax.random.key(int(self._stream().integers(2**31)))

    def _stream(self) -> np.random.Generator:
        self.calls += 1
        seed = int(os.environ.get("MINITORCH_SEED", "0"))
        return np.random.Generator(np.random.Philox([seed, zlib.crc32(self.probe.encode()), self.calls]))

    def _keep(self, array: np.ndarray | np.generic | float) -> jax.Array:
        self.drawn.append(np.asarray(array))
        return jnp.asarray(array)


draw = Draw()
"""What the probes of a notebook draw their inputs from."""


def show(
    value: Any,
    mistakes: Mapping[str, Any] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    dtype: bool = False,
) -> None:
    """Send out what the student's code gave: numbers, text, arrays, and lists, tuples and dicts of them.

    `mistakes` maps the message for a typical wrong answer to the value that it has, or a function that gives it. They
    and the tolerances (see `Tolerance`) count in the reference run only. Outside of grading only the kind of value is
    displayed. Raises ValueError in the reference run for a value that cannot be sent.
    """
    draw.shows += 1
    value = plain(value)
    bundle: dict[str, Any] = {"text/plain": describe(value)}
    mode = os.environ.get("MINITORCH_SHOW")
    if mode:
        bundle[SHOWN] = {"probe": draw.probe, "number": draw.shows, "value": encode(value)}
    if mode == "key":
        bundle[SHOWN] |= _key(value, mistakes or {}, Tolerance(rtol, atol, dtype))
    publish(bundle)


def _key(value: Any, mistakes: Mapping[str, Any], tolerance: Tolerance) -> dict[str, Any]:
    """What the reference run adds: all that is needed to judge the values of others."""
    if not same(decode(encode(value)), value, tolerance):
        raise ValueError(
            f"Probe {draw.probe!r} shows a {describe(value)}, which cannot be sent. Show numbers, text, arrays, and"
            " lists, tuples and dicts of them; of a model, its leaves."
        )
    names = [f"input {i}" for i in range(1, len(draw.drawn) + 1)] if len(draw.drawn) > 1 else ["the input"]
    shape = value.shape if isinstance(value, np.ndarray) else None
    inputs = [(name, x) for name, x in zip(names, draw.drawn, strict=False) if x.shape == shape != ()]
    return {
        "mistakes": [[message, encode(wrong() if callable(wrong) else wrong)] for message, wrong in mistakes.items()],
        "tolerance": {"rtol": tolerance.rtol, "atol": tolerance.atol, "dtype": tolerance.dtype},
        "inputs": [[name, encode(x)] for name, x in inputs],
    }


def judge(shown: Mapping[str, Any] | None, key: Mapping[str, Any], reveal: bool = False) -> str | None:
    """What is wrong with a value that a student's process sent, or None if it is right.

    `shown` and `key` are what `show` put under the MIME type `SHOWN`, there and in the reference run; `shown` is not
    trusted. `reveal` allows expected values in the message. A malformed `shown` is a wrong answer.
    """
    try:
        given = decode((shown or {})["value"])
    except (KeyError, TypeError, ValueError):
        return "Nothing that can be read was shown here."
    return diagnose(
        given,
        decode(key["value"]),
        {message: decode(value) for message, value in key["mistakes"]},
        Tolerance(**key["tolerance"]),
        inputs={name: decode(x) for name, x in key["inputs"]},
        reveal=reveal,
    )
