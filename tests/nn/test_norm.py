import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch.nn import LayerNorm, RMSNorm

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(3, 2, size=(2, 5, 8)).astype("float32")


@pytest.mark.parametrize("bias", [True, False])
def test_layer_norm_equals_flax(bias, filled, assert_same):
    def flax(layer, x):
        theirs = nnx.eval_shape(lambda: nnx.LayerNorm(8, epsilon=1e-5, use_fast_variance=False, rngs=nnx.Rngs(0)))
        theirs.scale, theirs.bias = nnx.Param(layer.scale), nnx.Param(layer.bias) if bias else None
        return theirs(x)

    assert_same(lambda layer, x: layer(x), flax, filled(lambda: LayerNorm.init(KEY, 8, bias)), X)


def test_rms_norm_equals_flax(filled, assert_same):
    def flax(layer, x):
        theirs = nnx.eval_shape(lambda: nnx.RMSNorm(8, epsilon=1e-6, rngs=nnx.Rngs(0)))
        theirs.scale = nnx.Param(layer.scale)
        return theirs(x)

    assert_same(lambda layer, x: layer(x), flax, filled(lambda: RMSNorm.init(KEY, 8)), X)


def test_init_leaves_a_normalized_vector_as_it_is():
    for layer in (LayerNorm.init(KEY, 2), RMSNorm.init(KEY, 2)):
        np.testing.assert_allclose(layer(jnp.array([1.0, -1.0])), [1.0, -1.0], rtol=1e-4)


def test_epsilon_limits_the_scale_of_a_small_vector():
    np.testing.assert_allclose(RMSNorm(jnp.ones(2), epsilon=3.0)(jnp.array([1.0, 1.0])), [0.5, 0.5], rtol=1e-6)
