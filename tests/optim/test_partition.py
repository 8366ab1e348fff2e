from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from minitorch import optim


def test_frozen_leaves_have_no_state_and_do_not_move(params, gradients):
    mask = jax.tree.map(lambda p: p.ndim == 1, params)
    optimizer = optim.partition(mask, optim.adam(0.1), optim.scale(0.0))
    state = optimizer.init(params)
    assert sum(x.size for x in jax.tree.leaves(state)) == 2 * params["bias"].size + 1
    updates, _ = optimizer.update(gradients, state)  # adam needs no parameters, so neither does this
    assert jnp.abs(updates["bias"]).min() > 0.09
    assert not updates["heads"].any()


def test_a_single_array_can_be_partitioned():
    optimizer = optim.partition(True, optim.adamw(0.1), optim.adamw(0.2))
    weights = jnp.ones(3)
    updates, _ = optimizer.update(weights, optimizer.init(weights), weights)
    assert updates.shape == (3,)


def test_array_masks_are_refused(params):
    mask = jax.tree.map(jnp.ones_like, params)
    with pytest.raises(TypeError, match="each mask leaf must be a bool, not an array"):
        optim.partition(mask, optim.adam(0.1), optim.sgd(0.1)).init(params)
