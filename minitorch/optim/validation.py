"""Validation of hyperparameters when an optimizer is created, and not a thousand steps later.

Values that are not known yet (a traced array, as in a sweep under `jax.vmap`) are not checked.
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._types import PyTree

Number = float | jax.Array


def check_decay(where: str, name: str, value: Number) -> None:
    """Raise ValueError unless `value`, the weight of the past in a running average, is in [0, 1)."""
    advice = f"It is the weight of the past in a running average. Write for example {name}=0.9."
    _check(where, name, value, lambda x: 0 <= x < 1, f"in 0 <= {name} < 1", advice)


def check_at_least(where: str, name: str, value: Number, least: float, advice: str) -> None:
    """Raise ValueError unless `value` is a number of at least `least`; `advice` says what to write instead."""
    _check(where, name, value, lambda x: x >= least, f"at least {least}", advice)


def check_above(where: str, name: str, value: Number, bound: float, advice: str) -> None:
    """Raise ValueError unless `value` is greater than `bound`; `advice` says what to write instead."""
    _check(where, name, value, lambda x: x > bound, f"greater than {bound}", advice)


def need_params(where: str, params: PyTree) -> None:
    """Raise ValueError if the caller did not pass the parameters that an update needs."""
    if params is None:
        raise ValueError(
            f"{where}: params is None, but this update depends on the parameters. "
            "Write update(updates, state, params) instead of update(updates, state)."
        )


def _check(where: str, name: str, value: Any, holds: Callable[[Any], Any], wanted: str, advice: str) -> None:
    if isinstance(value, Tracer):
        return
    if not isinstance(value, Real | np.ndarray | jax.Array):
        raise TypeError(f"{where}: {name} is {value!r}, a {type(value).__name__}, but it must be a number. {advice}")
    if not holds(value):  # Also for NaN.
        raise ValueError(f"{where}: {name} is {value}, but it must be {wanted}. {advice}")
