"""Numbers that users give: those of NumPy and JAX become Python's, and everything else is refused in one form of words.

A whole number is what has `__index__`, such as `np.int64(3)`, but not 3.0 and not True.
"""

from __future__ import annotations

import dataclasses
import operator
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def whole(value: Any) -> int | None:
    """Return a whole number as an int, and None for anything else."""
    if _kind(value) == "b":
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def real(value: Any) -> int | float | None:
    """Return a number as an int if it is whole, or else as a float, and None for anything else."""
    if (number := whole(value)) is not None:
        return number
    is_scalar = getattr(value, "ndim", None) == 0 and _kind(value) in "fV"  # JAX's bfloat16 is of kind V.
    if not (is_scalar or isinstance(value, Real)) or _kind(value) == "b":
        return None
    try:
        return float(value)
    except (TypeError, OverflowError):  # traced, or a fraction beyond all floats
        return None


def check_whole(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return `value` as an int. Raises ValueError if it is not a whole number from `least` to `most`."""
    number = whole(value)
    if number is None or number < least or (most is not None and number > most):
        until = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be a whole number, {until}, and is {value if number is None else number!r}.")
    return number


def check_real(name: str, value: Any, holds: Callable[[float], bool], wanted: str) -> int | float:
    """Return `value` as a number of Python's. Raises ValueError if it is not a number for which `holds` is true."""
    number = real(value)
    if number is None or not holds(number):
        raise ValueError(f"{name} must be {wanted}, and is {value if number is None else number!r}.")
    return number


def normalize(config: Any) -> list[str]:
    """Give the settings of a dataclass the types of Python that their annotations name: `int`, `float | None`, ...

    Returns:
      The problems, each a clause that names a setting of another type.
    """
    problems = []
    for field in dataclasses.fields(config):
        name = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
        kind, value = name.removesuffix(" | None"), getattr(config, field.name)
        if kind not in _KINDS or (value is None and kind != name):
            continue
        convert, wanted = _KINDS[kind]
        if (converted := convert(value)) is None:
            problems.append(f"{field.name} must be {wanted}, and is {value!r}")
        else:
            object.__setattr__(config, field.name, converted)
    return problems


def _kind(value: Any) -> str:
    """Return NumPy's letter for the kind of `value`: b for truth values, and "" for what has none."""
    return "b" if isinstance(value, bool) else getattr(getattr(value, "dtype", None), "kind", "")


def _truth(value: Any) -> bool | None:
    return bool(value) if _kind(value) == "b" and getattr(value, "ndim", 0) == 0 else None


def _wholes(values: Any) -> tuple[int, ...] | None:
    numbers = [whole(v) for v in values] if isinstance(values, tuple) else [None]
    return None if None in numbers else tuple(n for n in numbers if n is not None)


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "int": (whole, "a whole number"),
    "float": (real, "a number"),
    "bool": (_truth, "True or False"),
    "str": (lambda value: value if isinstance(value, str) else None, "a str"),
    "tuple[int, ...]": (_wholes, "a tuple of whole numbers, such as (256, 128)"),
}
