"""Python's operators on a `Tensor`, such as `x + y`, `x @ w` and `x[i]`, and the methods that a `jax.Array` has.

They are bound here, because `autodiff` does not import `ops`. A method calls the op of its name.
"""

from __future__ import annotations

from typing import Any

from ..autodiff import Tensor
from . import elementwise as e
from . import indexing, linalg, reduce, shapes

OPERATORS = {
    "add": e.add,
    "sub": e.subtract,
    "mul": e.multiply,
    "truediv": e.divide,
    "pow": e.power,
    "matmul": linalg.matmul,
    "floordiv": e.floor_divide,
}
COMPARISONS = {
    "eq": e.equal,
    "ne": e.not_equal,
    "lt": e.less,
    "le": e.less_equal,
    "gt": e.greater,
    "ge": e.greater_equal,
}
METHODS = {
    op.__name__: op
    for op in (
        *(shapes.sum, reduce.mean, reduce.var, reduce.std, reduce.prod, reduce.cumsum, reduce.cumprod),
        *(reduce.max, reduce.min, reduce.sort),
        *(reduce.argmax, reduce.argmin, reduce.argsort, reduce.any, reduce.all),
        *(shapes.swapaxes, shapes.squeeze, shapes.ravel, shapes.repeat, shapes.astype),
        *(linalg.dot, indexing.take, e.clip, e.round),
    )
}


def _reflected(op: Any) -> Any:
    return lambda x, y: op(y, x)


def bind(cls: Any) -> None:
    """Bind the operators and methods to `cls`."""
    for name, op in OPERATORS.items():
        setattr(cls, f"__{name}__", _method(op))
        setattr(cls, f"__r{name}__", _reflected(op))
    for name, op in (COMPARISONS | {"neg": e.negative, "abs": e.abs, "getitem": indexing.getitem}).items():
        setattr(cls, f"__{name}__", _method(op))
    cls.__pos__ = lambda self: self
    cls.__hash__ = object.__hash__  # By identity, because __eq__ compares elementwise, as that of a jax.Array.
    for name, op in METHODS.items():
        setattr(cls, name, _method(op))
    cls.reshape = lambda self, *shape: shapes.reshape(self, _unpacked(shape))
    cls.transpose = lambda self, *axes: shapes.transpose(self, _unpacked(axes) if axes else None)
    cls.T = property(lambda self: shapes.transpose(self))
    cls.mT = property(lambda self: shapes.swapaxes(self, -1, -2))
    cls.flatten = _method(shapes.ravel)
    cls.at = property(indexing.at)
    cls.__setitem__ = _refuse_assignment
    # Without it Python would try x[0], x[1], ... until an IndexError, so that a 0-d tensor would look empty.
    cls.__iter__ = lambda self: (self[i] for i in range(len(self)))


def _refuse_assignment(x: Any, index: Any, value: Any) -> None:
    raise TypeError(
        "x[i] = v would change a value that the tape has recorded.\n"
        "  Wrong: x[i] = v\n"
        "  Right: x = x.at[i].set(v), which returns a changed copy; x.at[i].add(v) adds."
    )


def _unpacked(numbers: tuple[Any, ...]) -> Any:
    """Return the argument of both `x.reshape(2, 3)` and `x.reshape((2, 3))`."""
    return numbers[0] if len(numbers) == 1 and not isinstance(numbers[0], int) else numbers


def _method(op: Any) -> Any:
    """Wrap `op` in a plain function, which binds `self` as a method. A `Primitive` in a class would not."""
    return lambda self, *args, **kwargs: op(self, *args, **kwargs)


bind(Tensor)
