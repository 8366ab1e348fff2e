import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch.models import ConvNet, ConvNetConfig

KEY = jax.random.key(0)
X = np.random.default_rng(1).normal(size=(2, 9, 9)).astype("float32")


def test_logits_and_gradients_equal_those_of_flax(filled, assert_same):
    def flax(model, x):
        x = x[..., None]
        for i, conv in enumerate(model.convs):
            layer = nnx.eval_shape(lambda i=i: nnx.Conv((1, 3)[i], (3, 4)[i], (3, 3), rngs=nnx.Rngs(0)))
            layer.kernel, layer.bias = nnx.Param(conv.weight), nnx.Param(conv.bias)
            x = nnx.max_pool(nnx.relu(layer(x)), (2, 2), (2, 2))
        return x.reshape(2, -1) @ model.head.weight + model.head.bias

    model = filled(lambda: ConvNet.init(KEY, ConvNetConfig(size=9, hidden=(3, 4), classes=5)))
    assert_same(lambda model, x: model(x), flax, model, X)
    np.testing.assert_array_equal(model(X[..., None]), model(X))


@pytest.mark.parametrize(("preset", "size", "inputs"), [("digits", 8, 2 * 2 * 32), ("fashion", 28, 7 * 7 * 64)])
def test_presets_fit_their_images(preset, size, inputs):
    model = jax.eval_shape(lambda: ConvNet.init(KEY, ConvNetConfig.preset(preset)))
    assert model.head.weight.shape == (inputs, 10)
    assert jax.eval_shape(lambda m: m(jnp.zeros((3, size, size))), model).shape == (3, 10)
