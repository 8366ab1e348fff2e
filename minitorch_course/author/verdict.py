"""The verdict on a hidden test. `verify` and `grade` both use it, so that they cannot disagree."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..answers.serialize import decode, describe
from ..notebook.hidden_test import judge

MAX_MESSAGE = 2000  # characters
Value = Mapping[str, Any]  # as a hidden test sends it
AnswerKey = Mapping[str, Sequence[Value]]  # the values that each hidden test sends in the reference, by its name


class Stop(NamedTuple):
    """Why a cell ended early: `status` is `error` or `timeout`, `reason` is one paragraph."""

    status: str
    reason: str


class Mismatch(NamedTuple):
    """The first wrong value: the message, the kinds of the given and the expected value.

    `is_count`: the values are right, but too few or too many.
    """

    message: str
    given: str | None = None
    expected: str | None = None
    is_count: bool = False


@dataclass(frozen=True)
class Verdict:
    """The outcome of a hidden test.

    Attributes:
      status: passed, wrong, error, timeout or not run.
      message: what is wrong with a value.
      given: the kind of the wrong value, such as `float32 (3, 5)`.
      expected: the kind of the value in the answer key.
      error: what stopped the cell.
    """

    status: str = "passed"
    message: str | None = None
    given: str | None = None
    expected: str | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def reason(self) -> str:
        """Why the points are lost; empty if they are not."""
        return self.message or self.error or ""


PROCESS_ENDED = Stop("error", "Python itself ended here: did the code call exit, or did it crash?")


def out_of_time(seconds: float) -> Stop:
    """Return the stop for a cell that took longer than `seconds`."""
    return Stop("timeout", f"No end after {seconds:.0f} seconds: does a loop never end?")


def stopped_by(exception: str, paragraph: str | None) -> Stop:
    """Return the stop for an exception of that name, which `paragraph` explains if it can be explained."""
    return Stop("error", without_addresses(paragraph or f"The cell was ended by {exception}."))


def verdict(values: Sequence[Value], key: Sequence[Value], stop: Stop | None = None) -> Verdict:
    """Return the verdict on the values that a hidden test sent before it ended, or before `stop`.

    A wrong value counts first, then what stopped the cell, then missing or extra values. `values` are not trusted.
    """
    mismatch = first_mismatch(values, key)
    if mismatch and not (stop and mismatch.is_count):
        return Verdict("wrong", mismatch.message, mismatch.given, mismatch.expected)
    return Verdict(stop.status, error=stop.reason) if stop else Verdict()


def after_exercise(test: Verdict, exercise: str | None, stop: Stop | None) -> Verdict:
    """Return the verdict on a hidden test whose exercise's cell was stopped itself: the error says so first."""
    if stop is None or test.status != "error":
        return test
    before = f"The cell of {exercise} stopped, so some of its definitions are missing. {stop.reason}"
    return replace(test, error=f"{before}\n{test.error}")


def first_mismatch(values: Sequence[Value], key: Sequence[Value]) -> Mismatch | None:
    """Return the first difference between the values of a hidden test and the key's; None if there is none."""
    for value, expected in zip(values, key, strict=False):
        if message := _judged(value, expected):
            return Mismatch(without_addresses(message), _kind(value), _kind(expected))
    if len(values) != len(key):
        return Mismatch(f"Values reported: {len(values)}; expected: {len(key)}.", is_count=True)
    return None


def _judged(value: Value, expected: Value) -> str | None:
    """Return what is wrong with a value. No value may stop more than its own hidden test."""
    try:
        return judge(value, expected)
    except (RecursionError, MemoryError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"The value cannot be compared ({type(error).__name__})."


def _kind(value: Value) -> str | None:
    try:
        return describe(decode(value["value"]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def without_addresses(text: str) -> str:
    """Return the text without memory addresses, so that it is the same in every run."""
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x...", text[:MAX_MESSAGE])
