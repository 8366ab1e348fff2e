"""Every differentiable op against JAX: equal numbers and derivatives to order 2, in three dtypes, under jit and vmap.

The census: every op has a derivative or is on the list of those that have none, and every op has a case.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import CASES, jax_function, op_named
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import derivatives, normal_like

from minitorch import ops
from minitorch.autodiff import Primitive, nondifferentiable, vjp

# The number of examples, and the allowed error relative to the largest number of a result.
EXAMPLES = {"float32": 2, "bfloat16": 1, "float64": 1}
TOLERANCE = {"float32": 2e-4, "bfloat16": 6e-2, "float64": 1e-9}

NON_DIFFERENTIABLE = {
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    *("logical_and", "logical_or", "logical_not", "isnan", "isinf", "isfinite", "any", "all"),
    *("sign", "floor", "ceil", "round", "floor_divide"),
    *("argmax", "argmin", "argsort", "one_hot", "zeros_like", "ones_like"),
}


def of_arrays(case, op, keywords):
    """Return `op` as a function of arrays alone, to the list of its floating-point outputs."""

    def fun(*arrays):
        leaves = jax.tree.leaves(case.call(op, *arrays, **keywords))
        return [y for y in leaves if jnp.issubdtype(y.dtype, jnp.floating)]

    return fun


def exactly(x):
    """Convert bfloat16 to float32: its last binary digit is noise, so JAX in float32 gives the expected numbers."""
    return x.astype(jnp.float32) if x.dtype == jnp.bfloat16 else x


def cotangents(fun, args):
    """Sample cotangents of value and gradient, and of the value."""
    g = normal_like(jax.eval_shape(fun, *args), seed=1)
    return normal_like((g, tuple(args)), seed=2), g


def compared(name, keywords):
    """Return a compiled function of arrays to our derivatives and those of JAX, for two examples at a time."""
    ours = of_arrays(CASES[name], op_named(name), keywords)
    theirs = of_arrays(CASES[name], jax_function(name) or op_named(name), keywords)

    def both(*args):
        args = (*cotangents(ours, args), *args)
        return derivatives(vjp, ours)(*args), derivatives(jax.vjp, theirs)(*jax.tree.map(exactly, args))

    return jax.jit(jax.vmap(both))


def assert_equal(name, draw, dtype, seed):
    case, (shapes, keywords) = CASES[name], draw
    rng = np.random.default_rng(seed)
    domains = case.domains(len(shapes))
    args = [
        jnp.asarray(domain(rng, (2, *s)), dtype) for domain, s in zip(domains, shapes, strict=True)
    ]  # Two at a time.
    ours, theirs = (jax.tree.leaves(tree) for tree in compared(name, keywords)(*args))
    for a, e in zip(ours, theirs, strict=True):
        assert a.shape == e.shape
        assert exactly(a).dtype == e.dtype
        a, e = np.asarray(a, np.float64), np.asarray(e, np.float64)
        scale = 1 + np.max(np.abs(e), initial=0)
        np.testing.assert_allclose(a / scale, e / scale, rtol=0, atol=TOLERANCE[dtype] * case.slack)


@pytest.mark.parametrize("dtype", EXAMPLES)
@pytest.mark.parametrize("name", CASES)
def test_derivatives_to_order_two_under_jit_and_vmap_are_those_of_jax(name, dtype):
    # Hypothesis begins with the first draw, so each dtype begins with another one.
    first = list(EXAMPLES).index(dtype) % len(CASES[name].draws)
    draws = [*CASES[name].draws[first:], *CASES[name].draws[:first]]

    @settings(
        max_examples=EXAMPLES[dtype],
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.sampled_from(draws), st.integers(0, 99))
    def check(draw, seed):
        assert_equal(name, draw, dtype, seed)

    with jax.enable_x64(dtype == "float64"):
        check()


# The census.

HELPERS_OF_RULES = {
    *(
        "as_ints",
        "in_order",
        "normalize_axes",
        "keepdims_shape",
        "expand_reduced",
        "unbroadcast",
        "unary",
        "binary",
        "gather",
        "scatter_add",
        "along_axis",
        "bind",
        "widened",
        "nan_outside",
        "check_targets",
    ),
}


def modules():
    return [importlib.import_module(m.name) for m in pkgutil.iter_modules(ops.__path__, "minitorch.ops.")]


def primitives():
    return {
        f"{m.__name__}.{name}": op
        for m in modules()
        for name, op in vars(m).items()
        if isinstance(op, Primitive) and op.__module__ == m.__name__
    }


def is_nondifferentiable(op):
    return getattr(op, "__code__", None) is nondifferentiable(len).__code__


def test_there_are_at_least_sixty_primitives_and_each_has_a_rule():
    assert [name for name, op in primitives().items() if not (op.rules or op.joint)] == []
    assert len(primitives()) >= 60


def test_ops_without_a_derivative_are_those_on_the_list():
    found = {name for m in modules() for name, op in vars(m).items() if is_nondifferentiable(op)}
    assert found == NON_DIFFERENTIABLE


def test_every_public_op_has_a_case_or_no_derivative():
    cases = {name.partition(",")[0] for name in CASES}
    assert cases | NON_DIFFERENTIABLE == set(ops.__all__)


def test_every_public_function_is_exported_or_a_helper_of_rules():
    own = {name for m in modules() for name, f in vars(m).items() if getattr(f, "__module__", None) == m.__name__}
    public = {name for name in own if name[0].islower()} - HELPERS_OF_RULES
    assert public - set(ops.__all__) == set()


def test_the_rule_of_every_primitive_runs_in_some_case(monkeypatch):
    used, original = set(), Primitive.vjp

    def spy(self, *args):
        used.add(id(self))
        return original(self, *args)

    monkeypatch.setattr(Primitive, "vjp", spy)
    for name, case in CASES.items():
        shapes, keywords = case.draws[0]
        fun, args = of_arrays(case, op_named(name), keywords), [jnp.zeros(s) for s in shapes]
        jax.eval_shape(derivatives(vjp, fun), *cotangents(fun, args), *args)
    assert [name for name, op in primitives().items() if id(op) not in used] == []


def test_arguments_have_the_names_and_order_of_the_jax_function():
    for name in filter(jax_function, ops.__all__):
        ours = inspect.signature(getattr(ops, name)).parameters.values()
        theirs = inspect.signature(jax_function(name)).parameters
        if not set(theirs) & {"args", "x1"}:  # JAX gives no names to the arguments of these.
            positional = [p.name for p in ours if p.kind != p.KEYWORD_ONLY]
            assert positional == list(theirs)[: len(positional)], name
            assert {p.name for p in ours} <= set(theirs) or "kwargs" in theirs, name
