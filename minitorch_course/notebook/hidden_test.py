"""`inputs` and `report`, which hidden tests call: new inputs go in, values go out, and are judged elsewhere.

A hidden test calls the student's function on `inputs` and passes the result to `report`, which sends it out of the
process. So a student's process never holds an expected answer.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from ..answers.comparison import Tolerance, same
from ..answers.diagnose import diagnose
from ..answers.serialize import decode, describe, encode, to_plain
from .display import publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPORTED = "application/vnd.minitorch.value+json"
Item = TypeVar("Item")


class Inputs:
    """Random inputs for hidden tests.

    A value depends on the seed (`MINITORCH_SEED`, or 0), on the name of the test and on the number of calls before it
    in the test. So hidden tests do not influence each other.
    """

    def __init__(self) -> None:
        self.begin("")

    def begin(self, test: str) -> None:
        """Start the random numbers of a hidden test. The grader calls it before the first line of the test's cell."""
        self.test, self.calls, self.reports = test, 0, 0
        self.drawn: list[np.ndarray] = []

    def normal(self, *shape: int) -> jax.Array:
        """Return standard normal numbers: float32 of that shape."""
        return self._keep(self._generator().standard_normal(shape, np.float32))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> jax.Array:
        """Return numbers in [low, high): float32 of that shape."""
        return self._keep(self._generator().uniform(low, high, shape).astype(np.float32))

    def integers(self, *shape: int, low: int = 0, high: int = 10) -> jax.Array:
        """Return integers in [low, high): int32 of that shape."""
        return self._keep(self._generator().integers(low, high, shape, np.int32))

    def permutation(self, n: int) -> jax.Array:
        """Return the integers 0 ... n - 1 in random order: int32 (n,)."""
        return self._keep(self._generator().permutation(n).astype(np.int32))

    def scalar(self) -> float:
        """Return a standard normal number as a Python float."""
        return float(np.float32(self._generator().standard_normal()))

    def choice(self, sequence: Sequence[Item]) -> Item:
        """Return one of the items."""
        return sequence[int(self._generator().integers(len(sequence)))]

    def key(self) -> jax.Array:
        """Return a key for `jax.random`."""
        return jax.random.key(int(self._generator().integers(2**31)))

    def _generator(self) -> np.random.Generator:
        self.calls += 1
        seed = int(os.environ.get("MINITORCH_SEED", "0"))
        return np.random.Generator(np.random.Philox([seed, zlib.crc32(self.test.encode()), self.calls]))

    def _keep(self, array: np.ndarray | np.generic | float) -> jax.Array:
        self.drawn.append(np.asarray(array))
        return jnp.asarray(array)


inputs = Inputs()
"""The random inputs of a notebook's hidden tests."""


def report(
    value: Any,
    mistakes: Mapping[str, Any] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    dtype: bool = False,
) -> None:
    """Send a result of the student's code to the grader; outside of grading, display only its kind.

    `mistakes` and the tolerances count in the reference run only.

    Args:
      value: numbers, text, arrays, and lists, tuples and dicts of them.
      mistakes: from the message for a typical wrong answer to its value, or to a function that returns it.
      rtol: see `Tolerance`.
      atol: see `Tolerance`.
      dtype: see `Tolerance`.

    Raises:
      ValueError: in the reference run, the value cannot be sent.
    """
    inputs.reports += 1
    value = to_plain(value)
    bundle: dict[str, Any] = {"text/plain": describe(value)}
    mode = os.environ.get("MINITORCH_REPORT")
    if mode:
        bundle[REPORTED] = {"test": inputs.test, "number": inputs.reports, "value": encode(value)}
    if mode == "key":
        bundle[REPORTED] |= _key(value, mistakes or {}, Tolerance(rtol, atol, dtype))
    publish(bundle)


def _key(value: Any, mistakes: Mapping[str, Any], tolerance: Tolerance) -> dict[str, Any]:
    """Return what the answer key needs to judge the values of others."""
    if not same(decode(encode(value)), value, tolerance):
        raise ValueError(
            f"The hidden test {inputs.test!r} reports a {describe(value)}, which cannot be sent. Report numbers, text,"
            " arrays, and lists, tuples and dicts of them; of a model, its leaves."
        )
    names = [f"input {i}" for i in range(1, len(inputs.drawn) + 1)] if len(inputs.drawn) > 1 else ["the input"]
    shape = value.shape if isinstance(value, np.ndarray) else None
    alike = [(name, x) for name, x in zip(names, inputs.drawn, strict=False) if x.shape == shape != ()]
    return {
        "mistakes": [[message, encode(wrong() if callable(wrong) else wrong)] for message, wrong in mistakes.items()],
        "tolerance": {"rtol": tolerance.rtol, "atol": tolerance.atol, "dtype": tolerance.dtype},
        "inputs": [[name, encode(x)] for name, x in alike],
    }


def judge(reported: Mapping[str, Any] | None, key: Mapping[str, Any], reveal: bool = False) -> str | None:
    """Return what is wrong with a value that a student's process sent, or None if it is right.

    Args:
      reported: what `report` put under the MIME type `REPORTED` in the student's process. It is not trusted, and a
        malformed value is a wrong answer.
      key: the same from the reference run.
      reveal: whether the message may contain expected numbers.
    """
    try:
        given = decode((reported or {})["value"])
    except (KeyError, TypeError, ValueError):
        return "No readable value was reported here."
    return diagnose(
        given,
        decode(key["value"]),
        {message: decode(value) for message, value in key["mistakes"]},
        Tolerance(**key["tolerance"]),
        inputs={name: decode(x) for name, x in key["inputs"]},
        reveal=reveal,
    )
