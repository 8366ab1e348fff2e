"""`override_rules`: run the library with the student's own derivative rules."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from minitorch.autodiff.tape import Primitive, Tape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BACKWARD = "Tape.backward"


@contextlib.contextmanager
def override_rules(replacements: Mapping[Any, Any]) -> Iterator[None]:
    """Replace derivative rules of the library inside the `with` block, and restore them afterwards.

        with override_rules({mt.ops.multiply: (rule_x, rule_y), "Tape.backward": walk}):
            loss, grads = mt.value_and_grad(loss_fn)(params)

    A function that `jax.jit` compiled before the block keeps its old rules: define it inside the block.

    Args:
      replacements: from a primitive to a tuple with one rule for each array argument. A primitive with several array
        arguments also takes one function that returns all cotangents in a tuple (its joint rule). The key
        `"Tape.backward"` takes `walk(tape, cotangents)`.

    Raises:
      ValueError: a key cannot be replaced, or a replacement does not fit its key.
    """
    for target, replacement in replacements.items():
        _validate(target, replacement)
    before = [(primitive, primitive.rules, primitive.joint) for primitive in replacements if primitive != BACKWARD]
    backward = Tape.backward
    try:
        for target, replacement in replacements.items():
            _replace(target, replacement)
        yield
    finally:
        Tape.backward = backward
        for primitive, rules, joint in before:
            primitive.rules, primitive.joint = rules, joint


def _replace(target: Any, replacement: Any) -> None:
    if target == BACKWARD:
        Tape.backward = replacement
    elif callable(replacement) and target.arrays != 1:
        target.rules, target.joint = (), replacement
    else:
        target.rules, target.joint = _as_rules(replacement), None


def _validate(target: Any, replacement: Any) -> None:
    if target != BACKWARD and not isinstance(target, Primitive):
        name = getattr(target, "__name__", repr(target))
        raise ValueError(
            f"{name} has no derivative rules to replace: give a primitive such as mt.ops.multiply, or {BACKWARD!r}."
        )
    if target == BACKWARD and not callable(replacement):
        raise ValueError(f"{BACKWARD} was given {replacement!r}: give one function `walk(tape, cotangents)`.")
    rules = _as_rules(replacement)
    if not rules or not all(map(callable, rules)):
        raise ValueError(
            f"{_name(target)} was given {replacement!r}: give a function, or a tuple of functions, one for each array"
            " argument."
        )
    if callable(replacement):
        return
    needed = getattr(target, "arrays", None)
    if needed is not None and len(rules) != needed:
        raise ValueError(
            f"{_name(target)} has {_arguments(needed)}, so it takes {needed} rules; {len(rules)} were given."
        )


def _as_rules(replacement: Any) -> tuple[Any, ...]:
    return tuple(replacement) if isinstance(replacement, tuple | list) else (replacement,)


def _name(target: Any) -> str:
    return target if isinstance(target, str) else target.__name__


def _arguments(n: int) -> str:
    return f"{n} array argument" + ("s" if n > 1 else "")
