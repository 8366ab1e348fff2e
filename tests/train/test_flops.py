import jax
import jax.numpy as jnp
import numpy as np

from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig
from minitorch.train.flops import flops_per_token, matmul_parameters


def shapes(kind, config):
    return jax.eval_shape(lambda: kind.init(jax.random.key(0), config))


def test_gpt2_by_hand():
    model = shapes(GPT, GPTConfig.preset("gpt2"))
    matrices = 12 * 12 * 768**2 + 50257 * 768  # of 12 layers, each 3 + 1 + 4 + 4 squares; and the head, tied
    assert matmul_parameters(model) == matrices
    assert flops_per_token(model) == 6 * matrices + 12 * 12 * 768 * 1024
    assert flops_per_token(model, training=False) == 2 * matrices + 4 * 12 * 768 * 1024


def test_an_untied_embedding_is_looked_up_and_costs_nothing():
    tied, untied = (shapes(Llama, LlamaConfig.preset("tiny", tied=tied)) for tied in (True, False))
    assert matmul_parameters(tied) == matmul_parameters(untied)


def test_xla_counts_the_same_within_a_few_percent():
    config = GPTConfig(vocab=512, context=64, layers=1, heads=2, width=128)
    model, ids = shapes(GPT, config), jax.ShapeDtypeStruct((2, 64), jnp.int32)
    counted = jax.jit(lambda model, ids: model(ids)).lower(model, ids).compile().cost_analysis()["flops"]
    np.testing.assert_allclose(flops_per_token(model, training=False) * 128, counted, rtol=0.05)
