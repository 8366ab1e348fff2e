"""Derivatives of functions, all made from one: `vjp` runs a function on a tape and hands back the walk backwards.

    value_and_grad  = vjp with the cotangent 1
    grad            = value_and_grad without the value
    jvp             = vjp of the pullback (Townsend, 2017): the pullback is linear, and its transpose is the pushforward
    checkpoint      = a primitive that stores its inputs only, and runs its function again on the way back
    from_jax        = a primitive that JAX differentiates

Each takes any pytree of floating-point arrays, nests to any order, and works inside `jax.jit` and `jax.vmap`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_map_with_path

from .tape import Primitive, Tape, Tensor, explain_foreign_call, nondifferentiable, zeros_like

stop_gradient = nondifferentiable(jax.lax.stop_gradient)
stop_gradient.__doc__ = "The value of `x`, treated as a constant by every derivative around it, JAX's included."


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate `fun(*primals)` and return its vector-Jacobian product, as `jax.vjp` does.

    Args:
      fun: a function from pytrees of arrays to a pytree of arrays; with `has_aux`, to a pair (output, anything).
      primals: pytrees whose leaves are floating-point arrays.

    Returns:
      `(y, pullback)`, or `(y, pullback, aux)`. `pullback(g)`, with `g` like `y`, returns a tuple of cotangents like
      `primals`.

    Raises:
      TypeError: a leaf of `primals` is not a floating-point array, or `fun` hands a tensor to a function of JAX or
        NumPy.
    """
    leaves, treedef = jax.tree.flatten(tuple(_differentiable(i, p) for i, p in enumerate(primals)))
    with Tape() as tape:
        inputs = [tape.box(leaf) for leaf in leaves]
        out = _call(fun, *treedef.unflatten(inputs))
    y, aux = out if has_aux else (out, None)
    outputs, out_treedef = jax.tree.flatten(y)
    y, aux = jax.tree.map(tape.unbox, (y, aux))

    def pullback(g: Any) -> tuple[Any, ...]:
        seeds: dict[int, Any] = {}
        for output, seed in zip(outputs, _leaves_like(g, out_treedef), strict=True):
            if tape.unbox(output) is not output:
                seed = _cotangent_like(output, seed)
                seeds[id(output)] = seeds[id(output)] + seed if id(output) in seeds else seed
        cotangents = tape.backward(seeds)
        return treedef.unflatten([cotangents[id(x)] if id(x) in cotangents else zeros_like(x) for x in inputs])

    return (y, pullback, aux) if has_aux else (y, pullback)


def value_and_grad(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that evaluates `fun`, whose output is a scalar, and its gradient; as `jax.value_and_grad`.

    Args:
      fun: a function of pytrees that returns a floating-point scalar; with `has_aux`, a pair (scalar, anything).
      argnums: which positional arguments to differentiate. The gradient has their structure (a tuple for several).

    Returns:
      A function with the arguments of `fun` that returns `(value, gradient)`, or `((value, aux), gradient)`.

    Raises:
      TypeError: the output is not a scalar, or a differentiated leaf is not a floating-point array.
    """
    positions = tuple(argnums) if isinstance(argnums, Sequence) else (argnums,)

    @functools.wraps(fun)
    def value_and_grad_fun(*args: Any, **kwargs: Any) -> Any:
        chosen = [_differentiable(i, _nth(args, i)) for i in positions]

        def of_chosen(*chosen: Any) -> Any:
            replaced = list(args)
            for i, value in zip(positions, chosen, strict=True):
                replaced[i] = value
            return fun(*replaced, **kwargs)

        y, pullback, *aux = vjp(of_chosen, *chosen, has_aux=has_aux)
        grads = pullback(jnp.ones((), _scalar_dtype(y)))
        return (y, *aux) if has_aux else y, grads if isinstance(argnums, Sequence) else grads[0]

    return value_and_grad_fun


def grad(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of the scalar function `fun`, as `jax.grad`; see `value_and_grad`.

    With `has_aux` it returns `(gradient, aux)`.
    """

    @functools.wraps(fun)
    def grad_fun(*args: Any, **kwargs: Any) -> Any:
        value, grads = value_and_grad(fun, argnums, has_aux)(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return grad_fun


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Evaluate `fun(*primals)` and the derivative along `tangents`, as `jax.jvp`: returns `(y, tangent of y)`.

    The pullback `g -> J^T g` is linear in `g`, so that its own vjp is `t -> J t`, at whatever `g` it is taken: here
    zero. Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    y, pullback = vjp(fun, *primals)
    _, pushforward = vjp(pullback, jax.tree.map(zeros_like, y))
    return y, pushforward(tuple(tangents))[0]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, storing only its inputs for the way back, where it is evaluated once more; as `jax.checkpoint`.

    Trades one more forward pass for the memory of everything that `fun` computes inside. Every array to be
    differentiated must be an argument and not a closed-over value. Source: Chen et al., arXiv 1604.06174.

    XLA's CPU compiler drops the barrier that keeps the two evaluations apart, and so merges them, here as in
    `jax.checkpoint`, unless compiled with the option `xla_disable_hlo_passes=cse_barrier_expander`.
    """

    def rule(flat: Callable[..., Any], g: Any, y: Any, *args: Any) -> Any:
        # The barrier makes the second evaluation wait for `g`, and XLA from merging it with the first.
        g, args = _barrier((g, args))
        return vjp(flat, *args)[1](g)

    return _on_tensors(fun, rule)


def from_jax(fun: Callable[..., Any]) -> Callable[..., Any]:
    """`fun`, a function written with `jax.numpy`, as an op: recorded as one primitive, whose rule is `jax.vjp`.

    The way out where `mt.ops` lacks something, or to use `jax.vmap` and `jax.lax.scan` inside a differentiated
    function. Every array to be differentiated must be an argument and not a closed-over value.
    """

    def rule(flat: Callable[..., Any], g: Any, y: Any, *args: Any) -> Any:
        def pull(g: Any, args: Any) -> Any:
            y, pullback = jax.vjp(flat, *args)
            return pullback(tuple(map(_cotangent_for, g, y)))

        return from_jax(pull)(g, args)  # An op again, and so differentiable again.

    return _on_tensors(fun, rule)


def _on_tensors(fun: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    """Make `fun` one primitive of the tensors among its arguments; `rule(flat, g, y, *tensors)` gets it flattened."""

    @functools.wraps(fun)
    def op(*args: Any, **kwargs: Any) -> Any:
        leaves, treedef = jax.tree.flatten((args, kwargs))
        where = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        structure: list[Any] = []

        def flat(*tensors: Any) -> tuple[Any, ...]:
            filled = list(leaves)
            for i, t in zip(where, tensors, strict=True):
                filled[i] = t
            args, kwargs = treedef.unflatten(filled)
            outputs, out_treedef = jax.tree.flatten(fun(*args, **kwargs))
            structure[:] = [out_treedef]
            return tuple(outputs)

        flat.__name__ = getattr(fun, "__name__", type(fun).__name__)
        outputs = Primitive(flat, joint=functools.partial(rule, flat))(*(leaves[i] for i in where))
        return structure[0].unflatten(outputs)

    return op


_barrier = from_jax(jax.lax.optimization_barrier)


def _call(fun: Callable[..., Any], *args: Any) -> Any:
    """`fun(*args)`; where JAX refuses one of our tensors, say what to write instead."""
    try:
        return fun(*args)
    except (TypeError, ValueError, IndexError) as error:
        message = str(error)
        foreign = "minitorch" in message or "ufunc" in message  # Of the second kind are NumPy's.
        if not (foreign and "Tensor" in message) or "Right:" in message:
            raise
        raise TypeError(f"{explain_foreign_call('A function of JAX or NumPy')}\n\nIt said: {message}") from error


def _differentiable(i: int, tree: Any) -> Any:
    """Argument `i` with its leaves as arrays or tensors."""
    return tree_map_with_path(functools.partial(_as_differentiable, i), tree)


def _as_differentiable(i: int, path: Any, leaf: Any) -> Any:
    """`leaf` as an array or tensor, refused where no derivative with respect to it exists."""
    place = f"argument {i}" + (f" at {keystr(path)}" if path else "")
    try:
        array = leaf if isinstance(leaf, Tensor | jax.Array) else jnp.asarray(leaf)
    except TypeError as error:
        raise TypeError(
            f"cannot differentiate with respect to {place}: {type(leaf).__name__} is not an array."
        ) from error
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise TypeError(
            f"cannot differentiate with respect to {place}: its dtype is {array.dtype}, and only floating-point"
            " numbers have gradients. Convert it (x.astype(jnp.float32)), or pass it as another argument (argnums)."
        )
    return array


def _scalar_dtype(y: Any) -> Any:
    shape, dtype = getattr(y, "shape", None), getattr(y, "dtype", None)
    if shape is None and isinstance(y, float):
        return jnp.result_type(float)  # A constant: its gradient is zero.
    if shape != () or dtype is None or not jnp.issubdtype(dtype, jnp.floating):
        got = f"shape {shape} and dtype {dtype}" if shape is not None else f"a {type(y).__name__}"
        raise TypeError(
            f"the gradient is of a scalar, but the function returned {got}.\n"
            "  Right: return a mean or a sum: mt.ops.mean(loss); for (loss, more) has_aux=True; other shapes: mt.vjp."
        )
    return dtype


def _leaves_like(g: Any, treedef: Any) -> list[Any]:
    leaves, got = jax.tree.flatten(g)
    if got != treedef:
        raise TypeError(f"the cotangent must have the structure of the output, {treedef}, but has {got}.")
    return leaves


def _cotangent_like(y: Any, g: Any) -> Any:
    g = g if isinstance(g, Tensor | jax.Array) else jnp.asarray(g, y.dtype)
    if (g.shape, g.dtype) != (y.shape, y.dtype):
        raise TypeError(
            f"the cotangent of an output of shape {y.shape} and dtype {y.dtype} must have the same,"
            f" but has shape {g.shape} and dtype {g.dtype}."
        )
    return g


def _cotangent_for(g: Any, y: Any) -> Any:
    """What `jax.vjp` wants: for an integer output, a zero of JAX's own empty dtype."""
    return g if jnp.issubdtype(y.dtype, jnp.inexact) else np.zeros(y.shape, jax.dtypes.float0)


def _nth(args: tuple[Any, ...], i: int) -> Any:
    if not -len(args) <= i < len(args):
        raise TypeError(
            f"argnums asks for argument {i}, but the function was called with {len(args)} positional arguments."
        )
    return args[i]
