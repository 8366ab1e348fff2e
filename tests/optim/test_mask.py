from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from minitorch import optim
from minitorch.optim.mask import resolve_mask


@jax.tree_util.register_dataclass
@dataclass
class Model:
    weight: jax.Array
    bias: jax.Array

    def __call__(self, x):
        raise AssertionError("a mask shaped like a model is not a function of the parameters")


MODEL = Model(jnp.ones((2, 3)), jnp.ones(3))


def is_matrix(params):
    return jax.tree.map(lambda p: p.ndim == 2, params)


@pytest.mark.parametrize("mask", [is_matrix, is_matrix(MODEL)], ids=["function", "callable model"])
def test_mask_is_a_function_or_a_tree_also_one_shaped_like_a_callable_model(mask):
    assert jax.tree.leaves(resolve_mask("here", mask, MODEL)) == [True, False]


def test_without_a_mask_every_parameter_is_selected():
    assert jax.tree.leaves(resolve_mask("here", None, MODEL)) == [True, True]


@pytest.mark.parametrize("mask", [{"weight": True}, True, lambda params: [True]])
def test_mask_of_another_structure_is_refused(mask):
    optimizer = optim.adamw(0.1, mask=mask)
    with pytest.raises(ValueError, match=r"add_decayed_weights: the mask has the structure .* Build it from them"):
        optimizer.update(MODEL, optimizer.init(MODEL), MODEL)


@pytest.mark.parametrize("shape", [(4,), (5, 2, 3)])
def test_mask_leaf_that_does_not_broadcast_is_refused(shape):
    with pytest.raises(ValueError, match=r"shape .* does not broadcast to its parameter of shape \(2, 3\)"):
        resolve_mask("here", Model(jnp.ones(shape), jnp.ones(3)), MODEL)
