"""Derivatives of functions, all built on `vjp`, which runs a function on a tape and returns the walk backwards.

    value_and_grad  = vjp with the cotangent 1
    grad            = value_and_grad without the value
    jvp             = vjp of the pullback (Townsend, 2017): the pullback is linear, and its transpose is the pushforward
    checkpoint      = a primitive that stores its inputs only, and runs its function again in the backward pass
    from_jax        = a primitive that JAX differentiates

Each takes any pytree of floating-point arrays, nests to any order, and works inside `jax.jit` and `jax.vmap`.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_map_with_path

from .tape import Primitive, Tape, Tensor, explain_foreign_call, nondifferentiable, zeros_like

stop_gradient = nondifferentiable(jax.lax.stop_gradient)
stop_gradient.__doc__ = "Return `x` as a constant: every derivative around it is zero, JAX's included."


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate `fun(*primals)` and return its vector-Jacobian product, as `jax.vjp` does.

    Args:
      fun: a function from pytrees of arrays to a pytree of arrays.
      primals: pytrees whose leaves are floating-point arrays.
      has_aux: whether `fun` returns a pair (output, anything).

    Returns:
      `(y, pullback)`, or `(y, pullback, aux)`. `pullback(g)`, with `g` like `y`, returns a tuple of cotangents like
      `primals`.

    Raises:
      TypeError: a leaf of `primals` is not a floating-point array, or `fun` passes a tensor to a function of JAX or
        NumPy.
    """
    leaves, treedef = jax.tree.flatten(tuple(_differentiable(i, p) for i, p in enumerate(primals)))
    with Tape() as tape:
        inputs = [tape.box(leaf) for leaf in leaves]
        out = call_with_hint(fun, *treedef.unflatten(inputs))
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
    """Return a function that evaluates the scalar function `fun` and its gradient, as `jax.value_and_grad`.

    Args:
      fun: a function of pytrees that returns a floating-point scalar.
      argnums: which positional arguments to differentiate. The gradient has their structure (a tuple for several).
      has_aux: whether `fun` returns a pair (scalar, anything).

    Returns:
      A function with the arguments of `fun` that returns `(value, gradient)`, or `((value, aux), gradient)`.

    Raises:
      TypeError: the output is not a scalar, or a differentiated leaf is not a floating-point array.
    """
    several = isinstance(argnums, Sequence) or bool(getattr(argnums, "ndim", 0))  # a sequence, or an array
    numbers: Any = argnums if several else (argnums,)
    positions = tuple(map(operator.index, numbers))

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
        return (y, *aux) if has_aux else y, grads if several else grads[0]

    return value_and_grad_fun


def grad(fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Return a function that computes the gradient of the scalar function `fun`, as `jax.grad`.

    The arguments are those of `value_and_grad`. With `has_aux` the function returns `(gradient, aux)`.
    """

    @functools.wraps(fun)
    def grad_fun(*args: Any, **kwargs: Any) -> Any:
        value, grads = value_and_grad(fun, argnums, has_aux)(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return grad_fun


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Evaluate `fun(*primals)` and the derivative along `tangents`, as `jax.jvp`: returns `(y, tangent of y)`.

    The pullback `g -> J^T g` is linear in `g`, so its own vjp is `t -> J t`, whatever the `g` at which it is taken:
    here zero. Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    y, pullback = vjp(fun, *primals)
    _, pushforward = vjp(pullback, jax.tree.map(zeros_like, y))
    return y, pushforward(tuple(tangents))[0]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fun` that stores only its inputs, and is evaluated again in the backward pass; as `jax.checkpoint`.

    Trades one more forward pass for the memory of everything that `fun` computes inside. Every array to be
    differentiated must be an argument and not a closed-over value. Source: Chen et al., arXiv 1604.06174.

    XLA's CPU compiler drops the barrier that keeps the two evaluations apart, and then merges them, here as in
    `jax.checkpoint`, unless the option `xla_disable_hlo_passes=cse_barrier_expander` is set.
    """

    def rule(flat: Callable[..., Any], g: Any, y: Any, *args: Any) -> Any:
        # The barrier makes the second evaluation wait for `g`, and keeps XLA from merging it with the first.
        g, args = _barrier((g, args))
        return vjp(flat, *args)[1](g)

    return _on_tensors(fun, rule)


def from_jax(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Turn `fun`, a function written with `jax.numpy`, into an op: one primitive whose rule is `jax.vjp`.

    For operations that `mt.ops` lacks, and for `jax.vmap` and `jax.lax.scan` inside a differentiated function. Every
    array to be differentiated must be an argument and not a closed-over value.
    """

    def rule(flat: Callable[..., Any], g: Any, y: Any, *args: Any) -> Any:
        def pull(g: Any, args: Any) -> Any:
            y, pullback = jax.vjp(flat, *args)
            return pullback(tuple(map(_cotangent_for, g, y)))

        return from_jax(pull)(g, args)  # An op again, and so differentiable again.

    return _on_tensors(fun, rule)


def _on_tensors(fun: Callable[..., Any], rule: Callable[..., Any]) -> Callable[..., Any]:
    """Turn `fun` into one primitive of the tensors in its arguments, with `rule(flat, g, y, *tensors)`.

    `flat` is `fun` as a function of these tensors that returns a tuple of arrays.
    """

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


def call_with_hint(fun: Callable[..., Any], *args: Any) -> Any:
    """Return `fun(*args)`. If JAX refuses a tensor, raise an error that says what to write instead."""
    try:
        return fun(*args)
    except (TypeError, ValueError, IndexError) as error:
        message = str(error)
        foreign = "minitorch" in message or "ufunc" in message  # JAX's messages and NumPy's
        if not (foreign and "Tensor" in message) or "Right:" in message:
            raise
        raise TypeError(f"{explain_foreign_call('A function of JAX or NumPy')}\n\nIt said: {message}") from error


def _differentiable(i: int, tree: Any) -> Any:
    """Return argument `i` with its leaves as arrays or tensors."""
    return tree_map_with_path(functools.partial(_as_differentiable, i), tree)


def _as_differentiable(i: int, path: Any, leaf: Any) -> Any:
    """Return `leaf` as an array or tensor. Raise TypeError if no derivative with respect to it exists."""
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
            f"the gradient is that of a scalar, but the function returned {got}.\n"
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
    """Return the cotangent in the form of `jax.vjp`: for an integer output, a zero of JAX's empty dtype."""
    return g if jnp.issubdtype(y.dtype, jnp.inexact) else np.zeros(y.shape, jax.dtypes.float0)


def _nth(args: tuple[Any, ...], i: int) -> Any:
    if not -len(args) <= i < len(args):
        raise TypeError(
            f"argnums names argument {i}, but the function was called with {len(args)} positional arguments."
        )
    return args[i]
