import jax
import jax.numpy as jnp
import numpy as np

from minitorch.models import MLP, MLPConfig
from minitorch.nn import paths

KEY = jax.random.key(0)
X = np.random.default_rng(1).normal(size=(4, 3, 4)).astype("float32")


def test_logits_and_gradients_equal_relu_between_linear_maps(filled, assert_same):
    def twin(model, x):
        a, b, c = model.layers
        x = jax.nn.relu(x.reshape(4, 12) @ a.weight + a.bias)
        return jax.nn.relu(x @ b.weight + b.bias) @ c.weight + c.bias

    model = filled(lambda: MLP.init(KEY, MLPConfig(inputs=12, hidden=(7, 5), classes=3)))
    assert_same(lambda model, x: model(x), twin, model, X)


def test_the_digits_preset_takes_images_of_8_by_8():
    model = jax.eval_shape(lambda: MLP.init(KEY, MLPConfig.preset("digits")))
    assert jax.eval_shape(lambda m: m(jnp.zeros((2, 8, 8))), model).shape == (2, 10)
    assert paths.count(model) == 64 * 128 + 128 + 128 * 10 + 10
