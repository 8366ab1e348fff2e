"""Diagnosis of a wrong answer in words that name the likely mistake.

`diagnose` compares two plain values (see `serialize`). It tries the mistakes that the author of the exercise foresaw,
then the kind, structure and shape of the answer (here), then its numbers (`recognizers`).
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from .comparison import Comparison, Tolerance, differing, same
from .recognizers import explain_numbers
from .serialize import Unserializable, describe, kind_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ARTICLES = {"int": "an integer", "bool": "a truth value", "float": "a real number", "complex": "a complex number"}


def diagnose(
    given: Any,
    expected: Any,
    mistakes: Mapping[str, Any] | None = None,
    tolerance: Tolerance | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    reveal: bool = True,
) -> str | None:
    """Return one or two sentences on the likely cause of a wrong answer, or None if it is right.

    All values are plain (see `serialize.to_plain`).

    Args:
      given: the student's answer.
      expected: the right answer.
      mistakes: from the message for a typical wrong answer to its value.
      tolerance: how far a right answer may be from the expected one.
      inputs: the inputs of the student's function, by name.
      reveal: whether the message may contain expected numbers.
    """
    tolerance = tolerance or Tolerance()
    if same(given, expected, tolerance):
        return None
    for message, wrong in (mistakes or {}).items():
        if same(given, wrong, tolerance):
            return message
    return _explain(given, expected, tolerance, inputs or {}, reveal)


def _explain(given: Any, expected: Any, tolerance: Tolerance, inputs: Mapping[str, Any], reveal: bool) -> str:
    if given is None:
        return "The result is None: does every path through the function end in `return`?"
    if isinstance(given, Unserializable):
        return f"The result is a {given.kind}, where {_noun(expected)} is expected.{_advice(given)}"
    if isinstance(expected, list | tuple) and isinstance(given, list | tuple):
        return _explain_sequence(given, expected, tolerance, inputs, reveal)
    if isinstance(expected, dict) and isinstance(given, dict):
        return _explain_dict(given, expected, tolerance, inputs, reveal)
    if not kind_of(given) or not kind_of(expected):
        return _explain_kind(given, expected, reveal)
    if np.asarray(given).shape != np.asarray(expected).shape:
        return explain_shape(given, expected, tolerance)
    if kind_of(given) != kind_of(expected):
        return _explain_number_kind(given, expected)
    if not differing(given, expected, tolerance).any():
        return f"The dtype is {name_of(given)}, where {name_of(expected)} is expected."
    return explain_numbers(Comparison(given, expected, tolerance, inputs, reveal))


def _noun(value: Any) -> str:
    """Describe an expected value without revealing it."""
    if isinstance(value, np.ndarray) and value.shape:
        return f"an array, {describe(value)},"
    if kind := kind_of(value):
        return ARTICLES[kind]
    if value is None:
        return "None"
    return {"str": "text", "dict": "a dict", "tuple": "a tuple", "list": "a list"}.get(type(value).__name__, "a value")


def _advice(given: Unserializable) -> str:
    if given.kind == "Tensor":
        return " A Tensor of minitorch exists only while a gradient is computed."
    if given.kind in ("function", "builtin_function_or_method", "method"):
        return " Is the call missing (round brackets), or the return of its result?"
    if given.kind == "generator":
        return " Round brackets around `... for ...` make a generator, square brackets a list."
    return ""


def _explain_kind(given: Any, expected: Any, reveal: bool) -> str:
    if isinstance(given, str) and isinstance(expected, str):
        return f"The text is {given[:200]!r}" + (
            f", where {expected!r} is expected." if reveal else ", which is wrong."
        )
    if isinstance(given, list | tuple) and isinstance(expected, np.ndarray) and _regular(given):
        return f"The result is a {describe(given)}, where {_noun(expected)} is expected: convert it to an array."
    if isinstance(given, list | tuple) and len(given) == 1:
        return f"The result is a {describe(given)}, where {_noun(expected)} is expected: is there a comma too many?"
    article = "" if given is None else "an " if describe(given)[0] in "aeiou" else "a "
    return f"The result is {article}{describe(given)}, where {_noun(expected)} is expected."


def _regular(numbers: Any) -> bool:
    return all(kind_of(n) for n in numbers) and len({np.shape(n) for n in numbers}) == 1


def _explain_sequence(given: Any, expected: Any, tolerance: Tolerance, inputs: Any, reveal: bool) -> str:
    if len(given) != len(expected):
        return (
            f"The result has {_count(len(given), 'part')}, where {_count(len(expected), 'part')} "
            f"{'is' if len(expected) == 1 else 'are'} expected."
        )
    if len(given) == 2 and same(given[0], expected[1], tolerance) and same(given[1], expected[0], tolerance):
        return "The two parts of the result are swapped."
    return _explain_parts({str(i): (g, e) for i, (g, e) in enumerate(zip(given, expected, strict=True))}, tolerance,
                          inputs, reveal)  # fmt: skip


def _explain_dict(given: Any, expected: Any, tolerance: Tolerance, inputs: Any, reveal: bool) -> str:
    missing, extra = [k for k in expected if k not in given], [k for k in given if k not in expected]
    if missing or extra:
        parts = [f"lacks {', '.join(map(repr, missing))}"] * bool(missing)
        parts += [f"has {', '.join(map(repr, extra))[:200]} too many"] * bool(extra)
        return f"The dict {' and '.join(parts)}."
    return _explain_parts({repr(k): (given[k], e) for k, e in expected.items()}, tolerance, inputs, reveal)


def _explain_parts(parts: dict[str, tuple[Any, Any]], tolerance: Tolerance, inputs: Any, reveal: bool) -> str:
    """Explain the first wrong part of several, and say whether it is the only one."""
    wrong = [name for name, (g, e) in parts.items() if not same(g, e, tolerance)]
    message = _explain(*parts[wrong[0]], tolerance, inputs, reveal)
    others = "the others are right" if len(wrong) == 1 else f"{len(wrong)} of {len(parts)} parts are wrong"
    return f"Part {wrong[0]} of the result ({others}): {message}" if len(parts) > 1 else message


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _explain_number_kind(given: Any, expected: Any) -> str:
    kinds = kind_of(given), kind_of(expected)
    message = f"The result is {_typed(given)}, where {_typed(expected)} is expected"
    if kinds == ("int", "float"):
        return message + ": is there an integer division `//`, a rounding, or an array of integers?"
    if kinds == ("bool", "float"):
        return message + ": it is a mask (where?), not yet the numbers (what?)."
    if kinds == ("float", "int"):
        return message + ": indices and counts are integers; `/` always gives a float, `//` does not."
    return message + "."


def _typed(number: Any) -> str:
    if isinstance(number, np.ndarray):
        return describe(number)
    return f"a Python {name_of(number)}"


def explain_shape(given: Any, expected: Any, tolerance: Tolerance) -> str:
    """Explain why an answer has the wrong shape."""
    given, expected = np.asarray(given), np.asarray(expected)
    message = f"The result has shape {given.shape}, where {expected.shape} is expected"
    for recognize in (_kept_axis, _transposed, _reshaped, _reduced, _broadcast, _one_size):
        if cause := recognize(given, expected, tolerance):
            return f"{message}: {cause}"
    return f"{message}."


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _kept_axis(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    if _squeezed(given.shape) != _squeezed(expected.shape) or given.ndim == expected.ndim:
        return None
    right = "the numbers are right, but " if same(given.reshape(expected.shape), expected, tolerance) else ""
    if given.ndim > expected.ndim:
        return f"{right}an axis of size 1 is kept that should be removed (keepdims, or an index such as [:, None])."
    return f"{right}an axis of size 1 is missing (keepdims=True keeps it; so does [:, None])."


def _transposed(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    if given.ndim != expected.ndim or sorted(given.shape) != sorted(expected.shape) or given.ndim > 5:
        return None
    for axes in permutations(range(given.ndim)):
        if same(given.transpose(axes), expected, tolerance):
            return "the numbers are right, but the axes are in another order: transpose it."
    flat = same(given.reshape(expected.shape), expected, tolerance)
    return "the numbers are in the right order: reshape it." if flat else "is a transpose missing, or one too many?"


def _reshaped(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    if given.size == expected.size and same(given.reshape(expected.shape), expected, tolerance):
        return "the numbers are in the right order, but the shape is different: reshape it."
    return None


def _reduced(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    if given.ndim == 0:
        return "all axes were reduced: is the argument `axis` missing?"
    if expected.ndim == 0:
        return "one number is expected: is a sum or a mean missing, or was it taken over one axis only?"
    if 0 < given.ndim < expected.ndim:
        return "an axis is missing: was it summed or averaged away, or indexed?"
    return None


def _broadcast(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    n = expected.size
    if given.shape == (n, n) and expected.shape in ((n,), (n, 1), (1, n)):
        return f"a column ({n}, 1) and a row ({n},) were broadcast to a square."
    if given.ndim > expected.ndim:
        return "the result has one axis too many: is a sum, a mean or a max over it missing?"
    grown = [i for i, (g, e) in enumerate(zip(given.shape, expected.shape, strict=True)) if e == 1 < g]
    if grown:
        return f"axis {grown[0]} should have size 1: was it broadcast, or is a sum over it missing?"
    shrunk = [i for i, (g, e) in enumerate(zip(given.shape, expected.shape, strict=True)) if g == 1 < e]
    if shrunk:
        return f"axis {shrunk[0]} has size 1: was it reduced by mistake?"
    return None


def _one_size(given: np.ndarray, expected: np.ndarray, tolerance: Tolerance) -> str | None:
    differ = [i for i, (g, e) in enumerate(zip(given.shape, expected.shape, strict=True)) if g != e]
    i = differ[0]
    step = given.shape[i] - expected.shape[i]
    if len(differ) == 1 and abs(step) == 1:
        return f"axis {i} is one too {'long' if step > 0 else 'short'}, so look for an off-by-one."
    if len(differ) == 1 and given.shape[i] == 2 * expected.shape[i]:
        return f"axis {i} is twice as long as it should be."
    return f"is it the right axis? Axis {i} has {given.shape[i]} entries instead of {expected.shape[i]}."
