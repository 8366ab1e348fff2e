import jax
import jax.numpy as jnp
import numpy as np

from minitorch.nn import Linear, at_least_float32, cast

X = np.random.default_rng(1).normal(size=(4, 8)).astype(jnp.bfloat16)


def test_cast_changes_floating_arrays_only():
    tree = cast({"weight": jnp.ones(2), "ids": jnp.arange(2)}, jnp.bfloat16)
    assert tree["weight"].dtype == jnp.bfloat16
    assert tree["ids"].dtype == jnp.int32


def test_the_gradient_comes_back_in_float32(filled, assert_same):
    def twin(layer):
        weight, bias = layer.weight.astype(jnp.bfloat16), layer.bias.astype(jnp.bfloat16)
        return (X @ weight + bias).astype(jnp.float32)

    layer = filled(lambda: Linear.init(jax.random.key(0), 8, 3))
    assert_same(lambda layer: at_least_float32(cast(layer, jnp.bfloat16)(X)), twin, layer, rtol=0.02, atol=0.02)


def test_at_least_float32_keeps_wider_numbers():
    x = np.ones(2, np.float64)
    assert at_least_float32(x) is x  # pyright: ignore
    assert at_least_float32(jnp.ones(2, jnp.float16)).dtype == jnp.float32
