import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minitorch as mt
from minitorch import compress, nn, optim
from minitorch.compress import qat
from minitorch.compress.scheme import Scheme, dequantize, quantize_matrix

pytestmark = pytest.mark.slow

INT4 = Scheme(bits=4)
W = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)


def test_the_value_is_quantized_and_the_gradient_passes_unchanged():
    np.testing.assert_array_equal(qat.fake_quantize(jnp.asarray(W), INT4), dequantize(quantize_matrix(W, INT4), INT4))
    for grad in (mt.grad, jax.grad, lambda f: jax.jit(mt.grad(f))):
        g = grad(lambda w: (qat.fake_quantize(w, INT4) * W).sum())(jnp.asarray(W))
        np.testing.assert_array_equal(g, W)


def test_quantization_aware_training_halves_the_loss_of_quantization():
    """Fit a net of two layers with 4 bits and one scale per tensor."""
    rng, recipe = np.random.default_rng(1), compress.QuantRecipe({"*": Scheme(bits=4, group="tensor")})
    x = jnp.asarray(rng.normal(size=(256, 8)), jnp.float32)
    teacher = [nn.Linear.init(jax.random.key(0), 8, 32), nn.Linear.init(jax.random.key(1), 32, 8)]
    y = teacher[1](nn.tanh(teacher[0](x)))
    optimizer = optim.adam(optim.warmup_cosine_decay_schedule(0.0, 0.01, 10, 400, 0.0))

    def loss(layers):
        return nn.mse(layers[1](nn.tanh(layers[0](x))), y)

    @jax.jit
    def step(_, state):
        layers, moments = state
        updates, moments = optimizer.update(mt.grad(loss)(layers), moments, layers)
        return optim.apply_updates(layers, updates), moments

    def trained(layers):
        return jax.lax.fori_loop(0, 400, step, (layers, optimizer.init(layers)))[0]

    after = compress.quantize(teacher, recipe)
    learner = trained(compress.prepare_qat(teacher, recipe))
    small = compress.quantize(learner, recipe)
    np.testing.assert_allclose(loss(small), loss(learner), rtol=1e-4)
    assert loss(small) < 0.5 * loss(after)


@pytest.mark.parametrize("scheme", [INT4, Scheme(dynamic=True)])
def test_a_prepared_layer_equals_the_quantized_layer(scheme):
    layer, x = nn.Linear(jnp.asarray(W), jnp.ones(8)), jnp.asarray(W[:5, :6])
    recipe = compress.QuantRecipe({"0": scheme})
    (learner,) = compress.prepare_qat([layer], recipe)
    (small,) = compress.quantize([learner], recipe)
    np.testing.assert_allclose(learner(x), small(x), atol=1e-6)
    np.testing.assert_array_equal(learner.weight, layer.weight)
    for grad in (mt.grad, jax.grad):
        np.testing.assert_allclose(grad(lambda x: learner(x).sum())(x), small_slope(small, x), atol=1e-5)


def small_slope(layer, x):
    return jnp.ones((len(x), 8)) @ layer.packed.dequantize()


def test_layers_that_cannot_be_quantized_cannot_be_prepared(gpt):
    with pytest.raises(
        ValueError, match=r"cannot quantize blocks.0.attention.qkv: groups of 64 do not divide a width of 8"
    ):
        compress.prepare_qat(gpt, compress.RECIPES["int4"])
    with pytest.raises(
        ValueError, match="the recipe selects only embeddings, which train without quantization: select one of bl"
    ):
        compress.prepare_qat(gpt, compress.QuantRecipe({"token": Scheme()}))
