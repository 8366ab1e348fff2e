import jax
import numpy as np
import pytest
from flax import nnx

from minitorch.nn import Linear

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


@pytest.mark.parametrize("bias", [True, False])
def test_linear_equals_flax(bias, filled, assert_same):
    def flax(layer, x):
        theirs = nnx.eval_shape(lambda: nnx.Linear(3, 4, use_bias=bias, rngs=nnx.Rngs(0)))
        theirs.kernel, theirs.bias = nnx.Param(layer.weight), nnx.Param(layer.bias) if bias else None
        return theirs(x)

    assert_same(lambda layer, x: layer(x), flax, filled(lambda: Linear.init(KEY, 3, 4, bias)), X)


def test_init_draws_lecun_weights_and_zero_biases():
    layer = Linear.init(KEY, 200, 100)
    assert layer.weight.shape == (200, 100)
    assert layer.bias is not None
    assert abs(np.var(layer.weight) * 200 - 1) < 0.05
    assert not np.any(layer.bias)


def test_a_wrong_width_is_explained():
    with pytest.raises(ValueError, match=r"Linear\(4 -> 2\) was given x of shape \(2, 5, 3\): its last axis must be 4"):
        Linear(np.ones((4, 2)))(X)
