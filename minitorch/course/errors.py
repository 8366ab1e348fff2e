"""Errors in the student's terms: one paragraph first, the original below."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import NamedTuple


class Explanation(NamedTuple):
    """`paragraph` says what happened in the student's terms; `original` is the traceback."""

    paragraph: str
    original: str


def explain(error: BaseException, student_names: Collection[str] = ()) -> Explanation:
    """What an exception means."""
    if isinstance(error, NotImplementedError):
        return Explanation(f"Not written yet: {error}" if str(error) else "Not written yet.", "")
    original = "".join(traceback.format_exception(error))
    return Explanation(f"{type(error).__name__}: {error}", original)
