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
import importlib
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, NoReturn

import jax
import jax.numpy as jnp
from jax._src.core import get_opaque_trace_state

Rule = Callable[..., Any]

# A ContextVar and not a global: each thread and each async task of a server has its own stack of open tapes.
_open_tapes: ContextVar[tuple[Tape, ...]] = ContextVar("minitorch_open_tapes", default=())


def trace_state() -> Any:
    """Return a token of the running JAX trace (`jit`, `vmap`, `scan` ...), equal for equal traces."""
    # The one place that depends on this function of JAX, which is not public and may be renamed.
    return get_opaque_trace_state()


class Tensor:
    """An array that a tape watches, created by `Tape.box` and by primitives.

    It is not a JAX type and not registered as a pytree on purpose: otherwise a `jax.jit` inside a recorded function
    would see through it, compute on unrecorded values, and the gradient would be a silent zero.
    """

    __slots__ = ("tape", "value")
    __array_ufunc__ = None  # NumPy's operators then defer to ours, and np.sin(tensor) is a TypeError.

    def __init__(self, value: jax.Array | Tensor, tape: Tape):
        self.value = value
        self.tape = tape

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.value.shape

    @property
    def dtype(self) -> Any:
        """The type of the numbers."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.value.size

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Tensor({self.value!r})"

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(explain_foreign_call("A NumPy function"))

    def __array_function__(self, function: Callable[..., Any], *_: Any) -> NoReturn:
        raise TypeError(explain_foreign_call(f"np.{function.__name__}"))

    def _refuse_number(self) -> NoReturn:
        raise TypeError(
            "float(x), int(x) and bool(x) of a Tensor would cut the gradient silently.\n"
            "  Right: mt.stop_gradient(x) first, which cuts it openly; or has_aux=True, which returns other values"
            " together with the loss."
        )

    __float__ = __int__ = __bool__ = __index__ = __complex__ = _refuse_number


def explain_foreign_call(what: str) -> str:
    """Return the message of the error that `what`, a function of JAX or NumPy, was given a tensor."""
    return (
        f"{what} was given a minitorch Tensor, which only minitorch's own operations can record.\n"
        "  Wrong: jnp.sin(x), np.sin(x), jax.jit(f)(x) inside a function that is being differentiated.\n"
        "  Right: mt.ops.sin(x), the op of that name; or mt.from_jax(f)(x) for a function that mt.ops lacks;\n"
        "         or put jax.jit around the gradient, jax.jit(mt.grad(f)), and not inside it."
    )


class Entry(NamedTuple):
    """One application of a primitive: its arguments, its parameters and its outputs."""

    primitive: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]
    outputs: tuple[Any, ...]
    returns_tuple: bool  # of one output, perhaps; otherwise the primitive returned the output itself


class Tape:
    """A list of entries, recording inside its `with` block."""

    def __init__(self) -> None:
        importlib.import_module("..ops", __package__)  # It binds `+ @ []` to Tensor. The package root imports no part.
        self.entries: list[Entry] = []
        self.trace_state = trace_state()

    def __enter__(self) -> Tape:
        stack = _open_tapes.get()
        self.depth = len(stack)
        self._token = _open_tapes.set((*stack, self))
        return self

    def __exit__(self, *exception: object) -> None:
        _open_tapes.reset(self._token)

    def owns(self, x: Any) -> bool:
        """Whether `x` is a tensor of this tape."""
        return isinstance(x, Tensor) and x.tape is self

    def box(self, value: Any) -> Any:
        """Return `value` as a new tensor of this tape; integers, which carry no gradient, as plain arrays.

        A new one each time, so that two leaves with one value are never confused.
        """
        return Tensor(value, self) if jnp.issubdtype(value.dtype, jnp.inexact) else unwrap(value)

    def unbox(self, x: Any) -> Any:
        """Return the value in a tensor of this tape, and anything else as it is."""
        return x.value if self.owns(x) else x

    def record(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Apply `primitive` to the values inside the tensors, and append the entry."""
        self._check_recording(primitive)
        y = primitive(*map(self.unbox, args), **params)  # Tapes further out see this call too.
        if any(map(self.owns, as_tuple(y))):
            raise ValueError(
                f"{primitive.__name__} calls a function that closes over a Tensor, whose gradient would be lost.\n"
                "  Wrong: mt.checkpoint(lambda x: layer(x))(x)\n"
                "  Right: mt.checkpoint(lambda layer, x: layer(x))(layer, x)"
            )
        outputs = tuple(map(self.box, as_tuple(y)))
        self.entries.append(Entry(primitive, args, params, outputs, isinstance(y, tuple)))
        return outputs if isinstance(y, tuple) else outputs[0]

    def backward(self, cotangents: dict[int, Any]) -> dict[int, Any]:
        """Walk the list backwards. Takes and returns cotangents keyed by the identity of their tensor."""
        for entry in reversed(self.entries):
            gs = [cotangents.pop(id(y), None) for y in entry.outputs]
            if any(g is not None for g in gs):  # Otherwise the result does not depend on these outputs.
                for x, g in zip(entry.args, self._vjp(entry, gs), strict=True):
                    if self.owns(x) and g is not None:
                        cotangents[id(x)] = accumulate(cotangents[id(x)], g) if id(x) in cotangents else g
        return cotangents

    def _vjp(self, entry: Entry, gs: list[Any]) -> Any:
        """Return the cotangents of the arguments of `entry`, given those of its outputs (None for zero)."""
        primitive, args, params, outputs, returns_tuple = entry
        y = tuple(map(self.unbox, outputs))
        g = tuple(zeros_like(o) if g is None else g for g, o in zip(gs, y, strict=True))
        if not returns_tuple:
            (g,), (y,) = g, y
        values, needed = list(map(self.unbox, args)), list(map(self.owns, args))
        cotangents = primitive.vjp(g, y, values, params, needed)
        check_cotangents(primitive, cotangents, values, needed)
        return cotangents

    def _check_recording(self, primitive: Primitive) -> None:
        if self not in _open_tapes.get():
            raise RuntimeError(
                f"{primitive.__name__} was given a Tensor whose tape is closed, or was opened in another thread.\n"
                "  Wrong: keeping a Tensor from a differentiated function (in a list, a global) and using it later.\n"
                "  Right: return it; has_aux=True returns other values together with the loss."
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
    output `y`. Where the cotangents share work, a primitive has one `joint` rule instead, which returns all of them in
    a tuple. Rules are written with primitives, so that a derivative can be differentiated again.

    The first arguments of `fun` are arrays: as many as there are rules, or `arrays` of them, or all of `*args`. The
    others are parameters such as `axis`, which a rule receives by name.
    """

    __name__: str

    def __init__(self, fun: Callable[..., Any], *rules: Rule, joint: Rule | None = None, arrays: int | None = None):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.rules = rules
        self.joint = joint
        self.signature = inspect.signature(fun)
        self.arrays = arrays or len(rules) or None
        self._check_rules()

    def __call__(self, *args: Any, **params: Any) -> Any:
        tape = innermost_tape(*args, *params.values())
        if tape is None:
            return self.fun(*args, **params)
        bound = self.signature.bind(*args, **params)
        bound.apply_defaults()
        names = list(self.signature.parameters)[self.arrays :] if self.arrays else []
        arrays, rest = bound.args[: self.arrays], bound.args[self.arrays :] if self.arrays else ()
        parameters = dict(zip(names, rest, strict=False)) | bound.kwargs
        self._check_parameters(parameters)
        return tape.record(self, arrays, parameters)

    def vjp(self, g: Any, y: Any, args: list[Any], params: dict[str, Any], needed: list[bool]) -> Any:
        """Return the cotangents of `args`, with None for those that are not `needed` if that saves work."""
        if self.joint:
            return self.joint(g, y, *args, **params)
        return [rule(g, y, *args, **params) if need else None for rule, need in zip(self.rules, needed, strict=True)]

    def _check_rules(self) -> None:
        """Raise TypeError if the rules are not those of the first arguments of `fun`."""
        kinds = [p.kind for p in self.signature.parameters.values()]
        positional = kinds.count(inspect.Parameter.POSITIONAL_ONLY) + kinds.count(
            inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        if self.arrays and (self.arrays > positional or inspect.Parameter.VAR_POSITIONAL in kinds):
            raise TypeError(
                f"{self.__name__}{self.signature} needs one rule for each array among its first arguments, but has"
                f" {self.arrays}. If it takes any number of arrays, *args, give it one joint rule."
            )
        if self.joint and self.rules:
            raise TypeError(
                f"{self.__name__} has a joint rule and rules for single arguments: give it one or the other."
            )

    def _check_parameters(self, parameters: dict[str, Any]) -> None:
        """Raise TypeError if an argument without a rule is a tensor, whose gradient would be lost."""
        for name, value in parameters.items():
            if any(isinstance(leaf, Tensor) for leaf in jax.tree.leaves(value)):
                raise TypeError(
                    f"{self.__name__} has no rule for its argument `{name}`, but was given a Tensor there.\n"
                    "  Right: mt.stop_gradient(x), if it is a constant; otherwise give the primitive a rule for it."
                )

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"


def primitive(
    *rules: Rule, joint: Rule | None = None, arrays: int | None = None
) -> Callable[[Callable[..., Any]], Primitive]:
    """Return a decorator that turns a function into a `Primitive`: `@primitive(rule_of_x, rule_of_w)`."""
    return lambda fun: Primitive(fun, *rules, joint=joint, arrays=arrays)


def nondifferentiable(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Turn `fun` into an op without a derivative (a comparison, rounding, indices), which sees plain arrays."""

    @functools.wraps(fun)
    def op(*args: Any, **params: Any) -> Any:
        return fun(*map(unwrap, args), **{name: unwrap(p) for name, p in params.items()})

    return op


def innermost_tape(*args: Any) -> Tape | None:
    """Return the tape that was opened last among those of the tensors in `args`."""
    tapes = [a.tape for a in args if isinstance(a, Tensor)]
    return max(tapes, key=lambda tape: tape.depth, default=None)


def unwrap(x: Any) -> Any:
    """Return the plain array inside `x`, however many tapes watch it."""
    while isinstance(x, Tensor):
        x = x.value
    return x


def check_cotangents(primitive: Primitive, cotangents: Any, args: list[Any], needed: list[bool]) -> None:
    """Raise TypeError unless the rules returned one cotangent for each argument, of its shape and dtype.

    A wrong one would spread: an optimizer would give the weight another shape.
    """
    if not isinstance(cotangents, tuple | list) or len(cotangents) != len(args):
        got = f"{len(cotangents)} of them" if isinstance(cotangents, tuple | list) else f"a {type(cotangents).__name__}"
        raise TypeError(
            f"the joint rule of {primitive.__name__} must return a tuple of {len(args)} cotangents, one for each array"
            f" argument (None for zero), but returned {got}."
        )
    for i, (g, x, need) in enumerate(zip(cotangents, args, needed, strict=True)):
        if need and g is not None and (getattr(g, "shape", None), getattr(g, "dtype", None)) != (x.shape, x.dtype):
            got = f"shape {g.shape} and dtype {g.dtype}" if hasattr(g, "dtype") else f"type {type(g).__name__}"
            raise TypeError(
                f"the rule of {primitive.__name__} for argument {i} returned a cotangent of {got}, but the argument has"
                f" shape {x.shape} and dtype {x.dtype}.\n"
                "  Right: if the argument was broadcast, sum the cotangent over the axes along which it was repeated"
                " (mt.ops.sum); if it was converted, convert back (mt.ops.astype)."
            )


def as_tuple(x: Any) -> tuple[Any, ...]:
    """Return the outputs of a primitive as a tuple, also if there is only one."""
    return x if isinstance(x, tuple) else (x,)


def zeros_like(x: Any) -> jax.Array:
    """Return zeros of the shape and dtype of `x`, as a plain array."""
    return jnp.zeros_like(unwrap(x))


# The cotangents of a tensor that is used several times add up. The walk needs no other primitive.
accumulate = Primitive(lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g)
