import jax
import jax.numpy as jnp
import numpy as np

from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig
from minitorch.train.flops import flops_per_token, matmul_parameters


def shapes(kind, config):
    return jax.eval_shape(lambda: kind.init(jax.random.key(0), config))


def test_gpt2_equals_a_count_by_hand():
    model = shapes(GPT, GPTConfig.preset("gpt2"))
    matrices = 12 * 12 * 768**2 + 50257 * 768  # 12 layers of 3 + 1 + 4 + 4 squares each, and the tied head
    assert matmul_parameters(model) == matrices
    assert flops_per_token(model) == 6 * matrices + 12 * 12 * 768 * 1024
    assert flops_per_token(model, training=False) == 2 * matrices + 4 * 12 * 768 * 1024


def test_an_untied_embedding_costs_no_matmul():
    tied, untied = (shapes(Llama, LlamaConfig.preset("tiny", tied=tied)) for tied in (True, False))
    assert matmul_parameters(tied) == matmul_parameters(untied)


def test_the_count_agrees_with_that_of_xla_within_5_percent():
    config = GPTConfig(vocab=512, context=64, layers=1, heads=2, width=128)
    model, ids = shapes(GPT, config), jax.ShapeDtypeStruct((2, 64), jnp.int32)
    counted = jax.jit(lambda model, ids: model(ids)).lower(model, ids).compile().cost_analysis()["flops"]
    np.testing.assert_allclose(flops_per_token(model, training=False) * 128, counted, rtol=0.05)
