"""What several folders of tests share."""

import os

# Compiling is most of the work here, and unoptimized code computes the same. Set before JAX is imported.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.autodiff import value_and_grad


@pytest.fixture
def filled():
    """`filled(build)` is what `build()` returns, its arrays drawn by NumPy: to draw with JAX is to compile."""

    def fill(build):
        rng = np.random.default_rng(0)
        return jax.tree.map(lambda x: rng.normal(scale=0.4, size=x.shape).astype(x.dtype), jax.eval_shape(build))

    return fill


@pytest.fixture
def assert_same():
    """A check that two functions of the same arguments agree in value and in gradient, ours by our tape and the twin's
    by JAX. The gradient is that of a sum of sines, with respect to all arguments but integers."""

    def check(ours, twin, *args, rtol=1e-4, atol=1e-5):
        argnums = [i for i, a in enumerate(args) if i == 0 or jnp.issubdtype(a.dtype, jnp.floating)]

        def evaluate(fun, value_and_grad):
            def loss(*args):
                y = fun(*args)
                return ops.sum(ops.sin(y)), y

            (_, y), gradients = jax.jit(value_and_grad(loss, argnums, has_aux=True))(*args)
            return y, *gradients

        mine, theirs = evaluate(ours, value_and_grad), evaluate(twin, jax.value_and_grad)
        assert jax.tree.structure(mine) == jax.tree.structure(theirs)
        for a, b in zip(jax.tree.leaves(mine), jax.tree.leaves(theirs), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)

    return check
