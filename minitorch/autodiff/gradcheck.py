"""Check derivatives against finite differences, in both modes, to second order.

A random direction `v` and a random cotangent `g` reduce the Jacobian `J` of a function to one number, in three ways:

    g . (f(x + e v) - f(x - e v)) / 2e   numerically,
    g . (J v)                            forward (jvp),
    (J^T g) . v                          backward (vjp).

If the three numbers are equal for random `v` and `g`, the whole Jacobian is almost surely right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .transforms import jvp, vjp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Step `e` and relative tolerance. The central difference errs by e^2 (truncation) and by precision / e (rounding): the
# best step is about the cube root of the precision.
_SETTINGS = {"float64": (1e-5, 1e-5), "float32": (5e-3, 3e-3)}


def check_grads(
    fun: Callable[..., Any], args: Sequence[Any], order: int = 2, *, seed: int = 0, rtol: float | None = None
) -> None:
    """Check the derivatives of `fun` at `args` to the given order, by jvp and vjp, against central differences.

    Args:
      fun: a function of pytrees of floating-point arrays (float32; float64 under x64) to a pytree of arrays.
      args: the point at which to check. Keep away from kinks, where finite differences mean nothing.
      order: 1 for the gradient, 2 for the gradient of the gradient too.
      seed: the seed of the random directions and cotangents.
      rtol: tolerance relative to the norm of the gradient; by default 3e-3 for float32 and 1e-5 for float64.

    Raises:
      AssertionError: the three numbers differ. The message gives function, input, received and expected number.
      TypeError: the arguments are neither float32 nor float64.
    """
    args = tuple(jax.tree.map(jnp.asarray, a) for a in args)
    dtype = str(jnp.result_type(*jax.tree.leaves(args)))
    if dtype not in _SETTINGS:
        raise TypeError(
            f"check_grads needs float32 or float64 arguments, got {dtype}: finite differences need the digits."
        )
    step, default_rtol = _SETTINGS[dtype]
    name = getattr(fun, "__name__", repr(fun))
    rng = np.random.default_rng(seed)
    v = _random_like(rng, args)
    y = fun(*args)
    g = _random_like(rng, y)

    ahead, behind = (fun(*_shift(args, v, e)) for e in (step, -step))
    expected = _dot(g, jax.tree.map(lambda a, b: (a - b) / (2 * step), ahead, behind))
    forward = _dot(g, jvp(fun, args, v)[1])
    gradient = vjp(fun, *args)[1](g)
    backward = _dot(gradient, v)
    rounding = 4 * float(jnp.finfo(dtype).eps) / step * _norm(g) * _norm(y)
    tolerance = (rtol or default_rtol) * _norm(gradient) + rounding
    for mode, received in (("jvp", forward), ("vjp", backward)):
        if not abs(received - expected) <= tolerance:  # Written so that NaN fails.
            raise AssertionError(
                f"the {mode} of {name} is wrong\n  input:    {args}\n  received: {received:.6g}\n"
                f"  expected: {expected:.6g} (central difference along a random direction)"
            )
    if order > 1:
        check_grads(_named(f"vjp of {name}", lambda *a: vjp(fun, *a)[1](g)), args, order - 1, seed=seed + 1, rtol=rtol)


def _random_like(rng: np.random.Generator, tree: Any) -> Any:
    """Sample numbers of both signs. None is near zero, where it would hide a mistake."""

    def sample(x: Any) -> Any:
        return jnp.asarray(rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1, 1], x.shape), x.dtype)

    return jax.tree.map(sample, tree)


def _shift(tree: Any, direction: Any, step: float) -> Any:
    return jax.tree.map(lambda x, v: x + jnp.asarray(step, x.dtype) * v, tree, direction)


def _dot(a: Any, b: Any) -> float:
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return float(sum(np.vdot(np.asarray(x, np.float64), np.asarray(y, np.float64)) for x, y in pairs))


def _norm(tree: Any) -> float:
    return math.sqrt(_dot(tree, tree))


def _named(name: str, fun: Callable[..., Any]) -> Callable[..., Any]:
    fun.__name__ = name
    return fun
