from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minitorch import optim


def test_global_norm_equals_optax_and_is_zero_for_an_empty_tree(params):
    np.testing.assert_allclose(optim.global_norm(params), optax.tree.norm(params), rtol=1e-6)
    assert float(optim.global_norm({})) == 0.0


def test_global_norm_of_bfloat16_is_summed_in_float32():
    ones = jnp.ones(1000, jnp.bfloat16)  # a bfloat16 sum of ones sticks at 256
    np.testing.assert_allclose(optim.global_norm([ones, ones]), 2000**0.5, rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-30, 0.1, 1.0, 1e15])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(optim.clip_by_global_norm, optax.clip_by_global_norm), (optim.clip, optax.clip)]
)
def test_clipping_equals_optax(ours, theirs, size, gradients, assert_same):
    scaled = jax.tree.map(lambda g: size * g, gradients)
    clipped, _ = ours(2.0).update(scaled, ())
    expected, _ = theirs(2.0).update(scaled, ())
    assert_same(clipped, expected, atol=0)


@pytest.mark.parametrize("transform", [optim.clip_by_global_norm(1.0), optim.clip(1.0)])
def test_clipping_keeps_the_dtype(transform):
    clipped, _ = transform.update(jnp.full(4, 3.0, jnp.bfloat16), ())
    assert clipped.dtype == jnp.bfloat16
