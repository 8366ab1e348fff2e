from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import optim


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
def test_newton_schulz_moves_singular_values_to_one_and_keeps_singular_vectors(shape):
    rng = np.random.default_rng(0)
    left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    singular = np.linspace(0.1, 30.0, min(shape))
    result = np.asarray(optim.newton_schulz(jnp.asarray(left * singular @ right, jnp.float32)))
    inner = left.T @ result @ right.T
    assert np.abs(inner - np.diag(np.diag(inner))).max() < 1e-3
    assert np.diag(inner).min() > 0.3
    assert np.diag(inner)[1:].min() > 0.65
    assert np.diag(inner).max() < 1.25


@pytest.mark.parametrize("shape", [(3, 8), (8, 3)])
def test_newton_schulz_computes_the_smaller_gram_matrix(shape):
    jaxpr = jax.make_jaxpr(lambda x: optim.newton_schulz(x, steps=1))(jnp.ones(shape))
    products = [e.outvars[0].aval.shape for e in jaxpr.eqns if e.primitive.name == "dot_general"]
    assert products == [(3, 3), (3, 3), (3, 8)]


def test_partition_applies_muon_to_some_matrices_only(matrix):
    params = {"embedding": matrix, "hidden": matrix, "bias": matrix[0]}
    is_hidden = {"embedding": False, "hidden": True, "bias": True}
    optimizer = optim.partition(is_hidden, optim.muon(0.02), optim.adamw(0.003))
    updates, _ = jax.jit(lambda p: optimizer.update(p, optimizer.init(p), p))(params)
    np.testing.assert_allclose(abs(updates["embedding"]), 0.003, rtol=1e-2)
    assert 0.01 < jnp.linalg.norm(updates["hidden"], ord=2) < 0.04  # sqrt(7 / 4) * 0.02


def test_muon_refuses_parameters_without_a_matrix():
    with pytest.raises(ValueError, match=r"no parameter has two axes.*not ravelled into one vector, or use adamw"):
        optim.muon(0.1).init(jnp.ones(6))
