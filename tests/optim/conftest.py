"""A small tree of parameters, and a noisy descent on it that is compiled once per optimizer."""

from __future__ import annotations

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

SHAPES = {"bias": (5,), "embed": {"wide": (4, 7), "tall": (6, 3)}, "heads": (2, 3, 4)}
STEPS = 100
# Quick to compile, but with the default loop emitters: over a hundred steps a rounding error becomes visible.
COMPILER: dict[str, int | bool] = {"xla_backend_optimization_level": 0}
if "fusion_emitters" in os.environ.get("XLA_FLAGS", ""):  # by ../conftest.py
    COMPILER["xla_cpu_use_fusion_emitters"] = True


def sample(seed: int, lead: tuple[int, ...] = ()) -> Any:
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=lead + shape), jnp.float32),
        SHAPES,
        is_leaf=lambda x: isinstance(x, tuple),
    )


@pytest.fixture(scope="session")
def params() -> Any:
    return sample(0)


@pytest.fixture(scope="session")
def gradients() -> Any:
    """One gradient, shaped like `params`."""
    return sample(1)


@pytest.fixture
def matrix(params: Any) -> Any:
    """A matrix of its own, (4, 7), free to be donated."""
    return jnp.copy(params["embed"]["wide"])


@pytest.fixture(scope="session")
def descend() -> Any:
    """`descend((optimizer, params), ...)`: for each pair the parameters after every step down the same noisy bowl,
    (STEPS, ...), and the last state; all pairs in one compiled function, since compiling is what takes the time."""
    noise = sample(2, (STEPS,))
    flat_noise = jnp.asarray(np.concatenate([np.reshape(n, (STEPS, -1)) for n in jax.tree.leaves(noise)], axis=1))

    def walk(optimizer: Any, params: Any, noise: Any) -> Any:
        def step(carry: Any, noise: Any) -> Any:
            params, state = carry
            gradient = jax.tree.map(lambda p, n: p - 0.5 + n, params, noise)
            updates, state = optimizer.update(gradient, state, params)
            params = optax.apply_updates(params, updates)
            return (params, state), params

        (_, state), path = jax.lax.scan(step, (params, optimizer.init(params)), noise)
        return path, state

    def run(*pairs: tuple[Any, Any]) -> Any:
        def descend_all(starts: Any) -> Any:
            return [
                walk(optimizer, start, flat_noise if isinstance(start, jax.Array) else noise)
                for (optimizer, _), start in zip(pairs, starts, strict=True)
            ]

        quick = jax.jit(descend_all, compiler_options=COMPILER)
        return jax.device_get(quick([start for _, start in pairs]))

    return run


@pytest.fixture(scope="session")
def assert_same() -> Any:
    """`assert_same(ours, theirs, rtol, atol)`: two trees agree, leaf by leaf, named in the failure."""

    def check(ours: Any, theirs: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(ours), jax.tree.leaves(theirs), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=jax.tree_util.keystr(path))

    return check
