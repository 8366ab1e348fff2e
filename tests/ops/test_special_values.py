"""First derivatives of every op at special values (zeros of both signs, infinities, NaN, ties) against those of JAX."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import BINARY, CASES, ELEMENTWISE, UNARY, Case, jax_function, keywords, op_named

from minitorch import ops
from minitorch.autodiff import vjp

inf, nan = np.inf, np.nan
SPECIAL = np.float32([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, inf, -inf, nan])
SAMPLES = 150

# Cases at special values that the first draw of an op does not have.
MORE = {
    "sort, descending": replace(CASES["sort"], draws=keywords([((2, 3),)], axis=[-1], descending=[True])),
    "clip, to a bound": replace(CASES["clip"], draws=keywords([((2, 3),)], min=[0.0], max=[1.0])),
    "var, of a sample": replace(CASES["var"], draws=keywords([((2, 3),)], axis=[None], ddof=[1])),
    "power, of a constant": Case(
        keywords([((3,),)], y=[-2, -1, 0, 1, 2, 3, -0.5, 0.5, 1.0, 2.0]), call=lambda op, x, y: op(x, y)
    ),
}


def some_row(condition):
    return lambda x: condition(x).all(-1).any(-1)


# Where we differ, as the docstrings say: the derivative exists, and JAX has NaN or an infinity of the other sign.
DIFFERENT = {
    "power": lambda x, y: y == 0,  # x ** 0 is the constant 1.
    "logsumexp": some_row(lambda x: x == -inf),  # A fully masked row has no influence.
    "logaddexp": lambda x, y: (x == -inf) & (y == -inf),  # The same.
    "arccosh": lambda x: x == -1,  # Outside of the domain. Our slope is exact near 1.
    "layer_norm": lambda x, scale, bias: np.isinf(scale).any(-1),
    # The output is NaN in both, and our gradient also where a causal mask hides what is not finite.
    "attention": lambda *qkv: ~np.all([np.isfinite(x).all((1, 2, 3, 4)) for x in qkv], axis=0),
}
# XLA simplifies 0 / 0 in JAX's rule of these to 0, and rounds the mean of equal numbers.
NOT_COMPILED = {"max", "min", "std"}


def special(name, shapes):
    """Return arrays of special values: all of them, all pairs, or samples of at most three, so that ties are common."""
    if name in ELEMENTWISE and shapes in (UNARY[0][0], BINARY[0][0]):
        return list(np.array(list(product(SPECIAL, repeat=len(shapes)))).T)
    rng = np.random.default_rng(0)
    choice = rng.choice(SPECIAL, (SAMPLES, 3))
    picks = [rng.integers(0, 3, (SAMPLES, int(np.prod(shape)))) for shape in shapes]
    return [
        np.take_along_axis(choice, pick, 1).reshape(SAMPLES, *shape) for pick, shape in zip(picks, shapes, strict=True)
    ]


def pulled(vjp, case, op, keywords):
    """Return a function of arrays to the cotangents of `op`, with a different one for each output."""

    def fun(*arrays):
        outputs = jax.tree.leaves(case.call(op, *arrays, **keywords))
        return [y for y in outputs if jnp.issubdtype(y.dtype, jnp.floating)]

    def pull(*arrays):
        y, pullback = vjp(fun, *arrays)
        return pullback([1 + jnp.arange(a.size, dtype=a.dtype).reshape(a.shape) for a in y])

    return pull


@pytest.mark.parametrize("name", [*CASES, *MORE])
def test_derivatives_at_special_values_are_those_of_jax(name):
    case, op = {**CASES, **MORE}[name], name.partition(",")[0]
    draws = case.draws if name in MORE else case.draws[:1]
    for shapes, choices in draws:
        args = special(name, shapes)
        ours = pulled(vjp, case, op_named(name), choices)
        theirs = pulled(jax.vjp, case, jax_function(op) or op_named(name), choices)
        both = jax.vmap(lambda *a, ours=ours, theirs=theirs: (ours(*a), theirs(*a)))
        actual, expected = (both if op in NOT_COMPILED else jax.jit(both))(*args)
        excluded = DIFFERENT[name](*args) if name in DIFFERENT else False
        same = ~np.broadcast_to(excluded, len(args[0]))
        for a, e in zip(actual, expected, strict=True):
            a, e = (np.asarray(z, np.float64).reshape(len(same), -1)[same] for z in (a, e))
            scale = 1 + np.max(np.abs(e), 1, keepdims=True, initial=0, where=np.isfinite(e))
            np.testing.assert_allclose(a / scale, e / scale, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("power", ([0, nan, inf], [0, 0, 0])),
        ("logsumexp", ([-inf, -inf, -inf],)),
        ("logaddexp", ([-inf, -inf], [-inf, -inf])),
    ],
)
def test_where_we_differ_from_jax_the_derivative_is_zero(name, args):
    y, pullback = vjp(getattr(ops, name), *map(jnp.float32, args))
    assert not np.asarray(pullback(jnp.ones(y.shape))[0]).any()


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_the_largest_of_a_window_is_the_one_that_jax_chooses(padding):
    rng = np.random.default_rng(0)
    (x,) = special("max_pool", ((4, 5),))
    x = np.where(np.isnan(x), 0, x)[..., None]  # Where a number is NaN, JAX's gradient goes to a number after it.

    def theirs(x):
        return jax.lax.reduce_window(x, -inf, jax.lax.max, (1, 2, 3, 1), (1, 1, 2, 1), padding)

    def ours(x):
        return ops.max_pool(x, (2, 3), (1, 2), padding)

    g = jnp.asarray(rng.permutation(theirs(x).size).reshape(theirs(x).shape), jnp.float32)
    np.testing.assert_array_equal(vjp(ours, x)[1](g)[0], jax.vjp(theirs, x)[1](g)[0])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_equal_entries_share_the_gradient_of_logsumexp_however_large_they_are(dtype):
    x = jnp.full(3, 3e7, dtype)  # Where 3e7 + log(3) rounds to 3e7.
    (g,) = vjp(ops.logsumexp, x)[1](jnp.ones((), dtype))
    np.testing.assert_allclose(np.asarray(g, np.float32), 1 / 3, rtol=1e-2)
