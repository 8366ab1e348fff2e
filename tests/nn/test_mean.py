import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import minitorch as mt
from minitorch import nn, ops

X = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
TARGETS = jnp.arange(8) % 4
MASKS = {"few": [0, 1], "most": range(7), "one": [5], "all": range(8), "none": []}


def tokens(w, x, targets, counted):
    return nn.cross_entropy(ops.matmul(x, w), targets, where=counted)


def hits(w, x, targets, counted):
    return nn.accuracy(ops.matmul(x, w), targets, where=counted) + 0 * ops.sum(w)


def several(w, x, targets, counted):
    """Weigh two means with different counts, and take functions of them."""
    squares = ops.mean(ops.square(ops.matmul(x, w)), axis=-1)
    return 0.3 * nn.masked_mean(squares, counted) ** 2 + ops.sqrt(1 + nn.masked_mean(squares, ~counted))


@pytest.mark.parametrize("parts", [1, 2, 4, 8])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("loss", [tokens, hits, several])
def test_a_mean_over_what_counts_is_the_same_for_a_batch_in_parts(loss, mask, parts):
    """An axis of `vmap` named like the axis of devices has the same collectives."""
    counted = np.isin(np.arange(8), MASKS[mask])

    def on_one_device(x, targets, counted):
        return jax.lax.pmean(mt.value_and_grad(loss)(W, x, targets, counted), "data")

    split = [np.reshape(a, (parts, -1, *a.shape[1:])) for a in (X, TARGETS, counted)]
    values, gradients = jax.vmap(on_one_device, axis_name="data")(*split)
    expected, gradient = jax.value_and_grad(loss)(W, X, TARGETS, counted)
    assert_allclose(values, np.full(parts, expected), rtol=1e-5)
    assert_allclose(gradients, np.broadcast_to(gradient, (parts, 3, 4)), rtol=1e-4, atol=1e-6)


def test_the_mean_is_that_of_numpy_and_0_where_nothing_counts():
    counted = X > 0.3
    assert_allclose(nn.masked_mean(X, counted), X[counted].mean(), rtol=1e-6)
    assert nn.masked_mean(X, X > 99) == 0
    with_nan = np.where(counted, X, np.nan)
    assert_allclose(mt.grad(lambda x: nn.masked_mean(x, counted))(with_nan), counted / counted.sum(), rtol=1e-6)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("where", [np.ones(8, bool), np.ones((8, 3))])
def test_a_mask_of_another_shape_or_dtype_raises(where):
    with pytest.raises(
        ValueError, match=r"masked_mean needs a boolean `where` of the values' shape, \(8, 3\), but got"
    ):
        nn.masked_mean(X, where)
