"""A student's folder of notebooks."""

from __future__ import annotations

from typing import Any


def yours(exercise: str, otherwise: Any) -> Any:
    """The student's own implementation from an earlier notebook, or `otherwise`."""
    return otherwise
