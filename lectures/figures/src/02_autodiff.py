"""Draw the figures of lecture 02: `python lectures/figures/src/02_autodiff.py`."""

from __future__ import annotations

import operator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from sheet import Sheet

from minitorch_course.figures import autodiff, chain_rule
from minitorch_course.figures.tape import scalar_tape

RULES = {
    "add": (lambda g, y, a, b: g, lambda g, y, a, b: g),
    "subtract": (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    "multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
    "tanh": (lambda g, y, a: g * (1 - y * y),),
}
FUNCTIONS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "tanh": lambda a: float(jnp.tanh(a)),
}
NEURON = [("multiply", (0, 1)), ("add", (4, 2)), ("tanh", (5,)), ("subtract", (6, 3)), ("multiply", (7, 7))]


class Row(NamedTuple):
    """One entry of the tape, as in the notebook."""

    op: str
    args: tuple[int, ...]
    value: float


def neuron() -> list[Row]:
    """Return the tape of one neuron and its loss."""
    tape = [Row("w", (), -0.5), Row("x", (), 2.0), Row("b", (), 1.5), Row("t", (), 1.0)]
    for op, args in NEURON:
        tape.append(Row(op, args, FUNCTIONS[op](*(tape[i].value for i in args))))
    return tape


def gradients(tape: list[Row]) -> list[float]:
    """Return the gradient of every row."""
    grads = [0.0] * (len(tape) - 1) + [1.0]
    for i, (op, args, y) in reversed(list(enumerate(tape))):
        for arg, rule in zip(args, RULES.get(op, ()), strict=True):
            grads[arg] += rule(grads[i], y, *(tape[a].value for a in args))
    return grads


def wavy(x: jax.Array) -> jax.Array:
    """Return a smooth function of `x`, whose slope is measured."""
    return (jnp.tanh(x) * jnp.exp(0.5 * x)).sum()


def gradient_check() -> None:
    """Plot the errors of two finite differences, and of a rule that omits the exponential's part."""
    x = jnp.array([0.3, -1.2, 0.8])
    v = jnp.array([1.0, 0.7, -0.4])
    slope = (jax.grad(wavy)(x) * v).sum()
    wrong = ((1 - jnp.tanh(x) ** 2) * jnp.exp(0.5 * x) * v).sum()

    def central(h: float) -> jax.Array:
        return (wavy(x + h * v) - wavy(x - h * v)) / (2 * h)

    autodiff.gradient_check(
        {
            "one-sided": (lambda h: (wavy(x + h * v) - wavy(x)) / h, slope),
            "central": (central, slope),
            "central, with a bug": (central, wrong),
        }
    )


FIGURES = {
    "tape": scalar_tape(neuron(), gradients(neuron()), RULES),
    "copying": chain_rule.copying_and_summing(),
    "paths": chain_rule.paths(),
    "orders": chain_rule.orders(),
    "nested": chain_rule.nested(),
    "softmax": chain_rule.softmax_slopes(),
    "history": chain_rule.history(),
}


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("02", font=14)
    sheet.put(FIGURES)
    gradient_check()
    sheet.save("gradient_check")


if __name__ == "__main__":
    main()
