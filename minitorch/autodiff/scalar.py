"""Derivatives of single numbers: the whole idea, before arrays.

Every operation computes a number, and keeps a small function, `_backward`, that passes the derivative of the result on
to the operands. `backward` calls these functions from the last number to the first. That is the chain rule.

    x, w = Scalar(2.0, "x"), Scalar(-0.5, "w")
    loss = (w * x + 1).tanh() ** 2
    loss.backward()
    w.grad  # d loss / d w

The same idea on arrays, with lists in place of the functions that each number keeps, is `tape`.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from .._numbers import real

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Scalar", "as_scalar"]

_count = itertools.count()


class Scalar:
    """A number that knows how it was computed; `x.grad` is dy/dx after `y.backward()`."""

    __array_ufunc__ = None  # NumPy's operators then defer to ours.

    def __init__(
        self,
        value: float,
        name: str = "",
        parents: tuple[Scalar, ...] = (),
        backward: Callable[[float], None] | None = None,
    ):
        self.value = float(value)
        self.name = name
        self.grad = 0.0
        self.parents = parents
        self._backward = backward
        self.number = next(_count)  # Counts up, so that parents have lower numbers than their children.

    def __repr__(self) -> str:
        return f"Scalar({self.value:.6g}, grad={self.grad:.6g})"

    def __add__(self, other: Scalar | float) -> Scalar:
        a, b = self, as_scalar(other)

        def backward(g: float) -> None:
            a.grad += g
            b.grad += g

        return Scalar(a.value + b.value, "+", (a, b), backward)

    def __sub__(self, other: Scalar | float) -> Scalar:
        a, b = self, as_scalar(other)

        def backward(g: float) -> None:
            a.grad += g
            b.grad -= g

        return Scalar(a.value - b.value, "−", (a, b), backward)

    def __mul__(self, other: Scalar | float) -> Scalar:
        a, b = self, as_scalar(other)

        def backward(g: float) -> None:
            a.grad += g * b.value
            b.grad += g * a.value

        return Scalar(a.value * b.value, "×", (a, b), backward)

    def __truediv__(self, other: Scalar | float) -> Scalar:
        a, b = self, as_scalar(other)

        def backward(g: float) -> None:
            a.grad += g / b.value
            b.grad -= g * a.value / b.value**2

        return Scalar(a.value / b.value, "÷", (a, b), backward)

    def __pow__(self, other: Scalar | float) -> Scalar:
        a, b = self, as_scalar(other)
        if a.value < 0 and b.value % 1:
            raise ValueError(
                f"{a.value:g} ** {b.value:g} is not a real number: raise a positive number, or to a whole power."
            )
        y = a.value**b.value

        def backward(g: float) -> None:
            if a.value == 0 and 0 < b.value < 1:
                raise ZeroDivisionError(
                    f"the derivative of x ** {b.value:g} is infinite at x = 0: keep x away from 0, as in"
                    f" (x + 1e-12) ** {b.value:g}."
                )
            a.grad += g * b.value * a.value ** (b.value - 1) if b.value else 0.0
            if a.value > 0:
                b.grad += g * y * math.log(a.value)
            elif a.value < 0 and b is other:  # Next to a whole exponent, the power is not a real number.
                b.grad = math.nan

        return Scalar(y, "^", (a, b), backward)

    def exp(self) -> Scalar:
        y = math.exp(self.value)
        return self._unary("exp", y, y)

    def log(self) -> Scalar:
        if self.value <= 0:
            raise ValueError(f"log({self.value:g}) is not a real number: take the logarithm of a positive number.")
        return self._unary("log", math.log(self.value), 1 / self.value)

    def tanh(self) -> Scalar:
        y = math.tanh(self.value)
        return self._unary("tanh", y, 1 - y * y)

    def relu(self) -> Scalar:
        return self._unary("relu", max(self.value, 0.0), float(self.value > 0))

    def _unary(self, name: str, y: float, slope: float) -> Scalar:
        def backward(g: float) -> None:
            self.grad += g * slope

        return Scalar(y, name, (self,), backward)

    def __neg__(self) -> Scalar:
        return self * -1

    def __radd__(self, other: float) -> Scalar:
        return as_scalar(other) + self

    def __rsub__(self, other: float) -> Scalar:
        return as_scalar(other) - self

    def __rmul__(self, other: float) -> Scalar:
        return as_scalar(other) * self

    def __rtruediv__(self, other: float) -> Scalar:
        return as_scalar(other) / self

    def __rpow__(self, other: float) -> Scalar:
        return as_scalar(other) ** self

    def backward(self) -> None:
        """Set `grad` of this number and of all numbers that it was computed from. Earlier values are overwritten."""
        graph = self.graph()
        for node in graph:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(graph):
            if node._backward:
                node._backward(node.grad)

    def graph(self) -> list[Scalar]:
        """Return all numbers that this one was computed from, and itself, in the order of creation."""
        found: set[Scalar] = set()
        waiting: list[Scalar] = [self]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting.extend(node.parents)
        return sorted(found, key=lambda node: node.number)


def as_scalar(x: Scalar | float) -> Scalar:
    """Return `x`, a number of Python, NumPy or JAX, as a `Scalar`.

    Raises:
      TypeError: `x` is not a number.
    """
    if isinstance(x, Scalar):
        return x
    number = float(x) if isinstance(x, bool) else real(x)
    if number is not None:
        return Scalar(number)
    raise TypeError(f"a Scalar computes with numbers, not with {type(x).__name__}: for arrays use minitorch.grad.")
