"""The tape: a list of what happened, walked backwards.

While a tape is open, every primitive that is applied to one of its tensors appends an `Entry`. The list is in
execution order, so its reverse is a valid order for the chain rule: no topological sort and no recursion, and a chain
of thousands of operations is as easy as a short one. Nothing is stored on a tensor but its value and the tape it
belongs to, so there is nothing to zero, to switch off or to leak.

Tapes nest. A tensor's `value` is a `jax.Array`, or a tensor of the tape around it: an operation on the inner
tensor is then seen by both tapes, and so is the inner walk backwards. That is all there is to higher derivatives.

The design follows HIPS/autograd (Maclaurin, 2016); the explicit list is the Wengert list (Wengert, 1964).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax._src.core import get_opaque_trace_state

Array = jax.Array
Rule = Callable[..., Any]

# A ContextVar and not a global: each thread and each async task of a server has its own stack of open tapes.
_open_tapes: ContextVar[tuple[Tape, ...]] = ContextVar("minitorch_open_tapes", default=())


def trace_state() -> Any:
    """Which JAX trace (`jit`, `vmap`, `scan` ...) is running. The one place that asks JAX, whose name for it may
    change."""
    return get_opaque_trace_state()


class Tensor:
    """An array that a tape is watching. Made by `Tape.watch` and by primitives, never by hand.

    It is not a JAX type and not registered as a pytree on purpose: were it one, a `jax.jit` inside a recorded
    function would see through it, compute on unrecorded values, and the gradient would be a silent zero.
    """

    __slots__ = ("tape", "value")
    __array_ufunc__ = None  # NumPy's operators then defer to ours, and np.sin(tensor) is a TypeError.

    def __init__(self, value: Array | Tensor, tape: Tape):
        self.value = value
        self.tape = tape

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        return self.value.shape

    @property
    def dtype(self):
        """The type of its numbers."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return self.value.size

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Tensor({self.value!r})"

    def __array__(self, *args: Any, **kwargs: Any):
        raise TypeError(explain_foreign_call("A NumPy function"))

    def __array_function__(self, function: Callable[..., Any], *_: Any):
        raise TypeError(explain_foreign_call(f"np.{function.__name__}"))

    def _refuse_number(self):
        raise TypeError(
            "float(x), int(x) and bool(x) of a Tensor would cut the gradient without a word.\n"
            "  Right: mt.stop_gradient(x) first, which says so; has_aux=True returns values to look at beside the loss."
        )

    __float__ = __int__ = __bool__ = __index__ = __complex__ = _refuse_number


def explain_foreign_call(what: str) -> str:
    return (
        f"{what} was given a minitorch Tensor, which only minitorch's own operations can record.\n"
        "  Wrong: jnp.sin(x), np.sin(x), jax.jit(f)(x) inside a function that is being differentiated.\n"
        "  Right: mt.ops.sin(x), the op of that name; or mt.from_jax(f)(x) for a function that mt.ops lacks;\n"
        "         or put jax.jit around the gradient, jax.jit(mt.grad(f)), and not inside it."
    )


class Entry(NamedTuple):
    """One application of a primitive: what went in, what came out (a tuple where the primitive has several outputs)."""

    primitive: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]
    y: Any


class Tape:
    """A list of entries, recording inside its `with` block."""

    def __init__(self):
        self.entries: list[Entry] = []
        self.trace_state = trace_state()

    def __enter__(self) -> Tape:
        stack = _open_tapes.get()
        self.depth = len(stack)
        self._token = _open_tapes.set((*stack, self))
        return self

    def __exit__(self, *exception: object) -> None:
        _open_tapes.reset(self._token)

    def box(self, value: Any) -> Any:
        """A fresh tensor, so that two leaves with one value are never confused. Integers carry no gradient: they stay
        out."""
        return Tensor(value, self) if jnp.issubdtype(value.dtype, jnp.inexact) else value_of(value)

    def unbox(self, x: Any) -> Any:
        """The value in a tensor of this tape; anything else as it is."""
        return x.value if isinstance(x, Tensor) and x.tape is self else x

    def record(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply `primitive` to the values inside the tensors, and append what happened."""
        self._check_recording(primitive)
        y = primitive(*map(self.unbox, args), **params)  # Tapes further out see this call too.
        if any(isinstance(o, Tensor) and o.tape is self for o in as_tuple(y)):
            raise ValueError(
                f"{primitive.__name__} calls a function that closes over a Tensor, whose gradient would be lost.\n"
                "  Wrong: mt.checkpoint(lambda x: layer(x))(x)\n"
                "  Right: mt.checkpoint(lambda layer, x: layer(x))(layer, x)"
            )
        boxed = tuple(map(self.box, y)) if isinstance(y, tuple) else self.box(y)
        self.entries.append(Entry(primitive, args, params, boxed))
        return boxed

    def backward(self, cotangents: dict[int, Any]) -> dict[int, Any]:
        """Walk the list backwards. Takes and returns cotangents keyed by the identity of their tensor."""
        for primitive, args, params, y in reversed(self.entries):
            gs = [cotangents.pop(id(o), None) for o in as_tuple(y)]
            if all(g is None for g in gs):
                continue  # Nothing that matters was computed from this output.
            plain = [self.unbox(a) for a in args]
            y = tuple(map(self.unbox, y)) if isinstance(y, tuple) else self.unbox(y)
            gs = tuple(zeros_like(o) if g is None else g for g, o in zip(gs, as_tuple(y), strict=True))
            needed = [isinstance(a, Tensor) and a.tape is self for a in args]
            pulled = primitive.pull_back(gs if isinstance(y, tuple) else gs[0], y, plain, params, needed)
            for a, g in zip(args, pulled, strict=True):
                if isinstance(a, Tensor) and a.tape is self and g is not None:
                    cotangents[id(a)] = accumulate(cotangents[id(a)], g) if id(a) in cotangents else g
        return cotangents

    def _check_recording(self, primitive: Primitive) -> None:
        if self not in _open_tapes.get():
            raise RuntimeError(
                f"{primitive.__name__} was given a Tensor whose tape is closed, or was opened in another thread.\n"
                "  Wrong: keeping a Tensor from a differentiated function (in a list, a global) and using it later.\n"
                "  Right: return it; has_aux=True returns values beside the loss."
            )
        if trace_state() != self.trace_state:
            raise RuntimeError(
                f"{primitive.__name__} was given a Tensor from outside the jax.jit, vmap or scan that is being traced"
                " here: the tape cannot see into that trace, and the gradient would be zero.\n"
                "  Wrong: mt.grad(lambda w: jax.vmap(lambda x: loss(w, x))(xs).sum())\n"
                "  Right: jax.vmap(mt.grad(loss), (None, 0))(w, xs), with the transformation outside the gradient;\n"
                "         or mt.from_jax(f)(w), which lets JAX differentiate f."
            )


class Primitive:
    """A function of arrays with its derivative.

    `rules[i](g, y, *args, **params)` returns the cotangent of array argument `i`, given the cotangent `g` of the
    output `y`. Where the cotangents share their work a primitive has one `joint` rule instead, which returns them all
    in a tuple. Rules are written with primitives, so that a derivative can be differentiated again.

    The first arguments of `fun` are arrays, as many as there are rules (or `arrays` says, or all of `*args`); what
    follows are parameters such as `axis`, which a rule receives by name.
    """

    __name__: str

    def __init__(self, fun: Callable[..., Any], *rules: Rule, joint: Rule | None = None, arrays: int | None = None):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.rules = rules
        self.joint = joint
        self.signature = inspect.signature(fun)
        self.arrays = arrays or len(rules) or None

    def __call__(self, *args: Any, **params: Any) -> Any:
        tape = innermost_tape(*args, *params.values())
        if tape is None:
            return self.fun(*args, **params)
        bound = self.signature.bind(*args, **params)
        bound.apply_defaults()
        names = list(self.signature.parameters)[self.arrays :] if self.arrays else []
        arrays, rest = bound.args[: self.arrays], bound.args[self.arrays :] if self.arrays else ()
        return tape.record(self, arrays, dict(zip(names, rest, strict=False)) | bound.kwargs)

    def pull_back(self, g: Any, y: Any, args: list[Any], params: dict[str, Any], needed: list[bool]) -> Any:
        """The cotangents of `args`; of those that are not needed, None where that saves work."""
        if self.joint:
            return self.joint(g, y, *args, **params)
        return [rule(g, y, *args, **params) if need else None for rule, need in zip(self.rules, needed, strict=True)]

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"


def primitive(
    *rules: Rule, joint: Rule | None = None, arrays: int | None = None
) -> Callable[[Callable[..., Any]], Primitive]:
    """Decorator that makes a `Primitive` of a function: `@primitive(rule_of_x, rule_of_w)`."""
    return lambda fun: Primitive(fun, *rules, joint=joint, arrays=arrays)


def nondifferentiable(fun: Callable[..., Any]) -> Callable[..., Any]:
    """An op without a derivative (comparisons, rounding, indices): it sees plain arrays and returns plain arrays."""

    @functools.wraps(fun)
    def op(*args: Any, **params: Any) -> Any:
        return fun(*map(value_of, args), **{name: value_of(p) for name, p in params.items()})

    return op


def innermost_tape(*args: Any) -> Tape | None:
    """The tape opened last among those of the tensors in `args`."""
    tape = None
    for a in args:
        if isinstance(a, Tensor) and (tape is None or a.tape.depth > tape.depth):
            tape = a.tape
    return tape


def value_of(x: Any) -> Any:
    """The plain array inside `x`, however many tapes watch it."""
    while isinstance(x, Tensor):
        x = x.value
    return x


def as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def zeros_like(x: Any) -> Array:
    return jnp.zeros_like(value_of(x))


# Cotangents of one tensor from several uses add up. The one primitive that the walk itself needs.
accumulate = Primitive(lambda x, y: x + y, lambda g, out, x, y: g, lambda g, out, x, y: g)
