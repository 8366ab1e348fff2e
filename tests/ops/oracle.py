"""Comparison of a function with JAX: its value, its gradient, and the gradient of both, each compiled once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from minitorch import autodiff


def normal_like(tree, seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(rng.standard_normal(x.shape), x.dtype), tree)


def arrays(*shapes, dtype="float32", seed=0):
    return normal_like([jax.ShapeDtypeStruct(shape, dtype) for shape in shapes], seed)


def derivatives(vjp, fun):
    """Return a function that computes value, gradient and second-order gradient of `fun`.

    Its arguments are the cotangents of value and gradient, the cotangent of the value, and the arguments of `fun`.
    """

    def value_and_gradient(g, *args):
        y, pullback = vjp(fun, *args)
        return y, pullback(g)

    def second(gg, g, *args):
        first, pullback = vjp(value_and_gradient, g, *args)
        return first, pullback(gg)

    return second


def assert_as_jax(ours, theirs, args, tolerance=1e-4, over=lambda f: f):
    """Assert that `ours` on our tape and `theirs` in JAX agree to order 2, under `over` (`jax.vmap`) and `jax.jit`."""
    g = normal_like(jax.eval_shape(over(theirs), *args), seed=1)
    gg = normal_like((g, tuple(args)), seed=2)
    actual = jax.jit(over(derivatives(autodiff.vjp, ours)))(gg, g, *args)
    expected = jax.jit(over(derivatives(jax.vjp, theirs)))(gg, g, *args)
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert (a.shape, a.dtype) == (e.shape, e.dtype)
        a, e = np.asarray(a, np.float64), np.asarray(e, np.float64)
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * (1 + np.max(np.abs(e), initial=0)))
