"""`plugged_in`: the student's own rules at work in the real library."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from minitorch.autodiff.tape import Primitive, Tape

WALK = "Tape.backward"


@contextlib.contextmanager
def plugged_in(replacements: Mapping[Any, Any]) -> Iterator[None]:
    """Inside the `with` block, replace derivative rules of the library; afterwards, whatever happened, they are as
    before.

        with plugged_in({mt.ops.multiply: (rule_x, rule_y), "Tape.backward": walk}):
            loss, grads = mt.value_and_grad(loss_fn)(params)

    A primitive takes one rule per array argument in a tuple, or, if it has several, one function that returns all
    cotangents in a tuple (its joint rule). `"Tape.backward"` takes `walk(tape, cotangents)`. A function that `jax.jit`
    has compiled before keeps the rules it was compiled with: make it anew inside. Raises ValueError for what cannot be
    replaced.
    """
    for target, replacement in replacements.items():
        _refuse_wrong(target, replacement)
    before = [(primitive, primitive.rules, primitive.joint) for primitive in replacements if primitive != WALK]
    walk = Tape.backward
    try:
        for target, replacement in replacements.items():
            _replace(target, replacement)
        yield
    finally:
        Tape.backward = walk
        for primitive, rules, joint in before:
            primitive.rules, primitive.joint = rules, joint


def _replace(target: Any, replacement: Any) -> None:
    if target == WALK:
        Tape.backward = replacement
    elif callable(replacement) and target.arrays != 1:
        target.rules, target.joint = (), replacement
    else:
        target.rules, target.joint = _as_rules(replacement), None


def _refuse_wrong(target: Any, replacement: Any) -> None:
    if target != WALK and not isinstance(target, Primitive):
        name = getattr(target, "__name__", repr(target))
        raise ValueError(
            f"{name} has no rules of its own to replace: give a primitive such as mt.ops.multiply, or {WALK!r}."
        )
    if target == WALK and not callable(replacement):
        raise ValueError(f"{WALK} is to be replaced by one function; {replacement!r} is something else.")
    rules = _as_rules(replacement)
    if not rules or not all(map(callable, rules)):
        raise ValueError(f"{_name(target)} is to be replaced by functions; {replacement!r} is something else.")
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
