import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.models import Llama, LlamaConfig
from minitorch.nn import paths

KEY = jax.random.key(0)
SMALL = dict(vocab=11, context=6, layers=2, heads=4, kv_heads=2, width=16, feedforward=12)
IDS = np.random.default_rng(1).integers(0, 11, size=(2, 6))


def twin(model, ids):
    """An independent Llama without our code: four heads of width 4, two per key head, rotated as complex numbers."""
    w = paths.flatten(model)

    def norm(x, name):
        return x / jnp.sqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-5) * w[f"{name}.scale"]

    def turn(x):
        angles = np.arange(x.shape[1])[:, None] / 10_000.0 ** (np.arange(2) / 2)
        z = (x[..., :2] + 1j * x[..., 2:]) * jnp.exp(1j * angles)
        return jnp.concatenate([z.real, z.imag], axis=-1)

    x = w["token.weight"][ids]
    for i in range(2):
        block = f"blocks.{i}"
        qkv = norm(x, f"{block}.attention_norm") @ w[f"{block}.attention.qkv.weight"]
        columns = jnp.split(qkv, 8, axis=-1)  # four queries, two keys, two values
        heads = []
        for h in range(4):
            q, k, v = turn(columns[h]), turn(columns[4 + h // 2]), columns[6 + h // 2]
            scores = jnp.exp(q @ k.mT / 2) * np.tri(ids.shape[1])
            heads.append(scores / scores.sum(-1, keepdims=True) @ v)
        x = x + jnp.concatenate(heads, axis=-1) @ w[f"{block}.attention.out.weight"]
        gate, up = jnp.split(norm(x, f"{block}.mlp_norm") @ w[f"{block}.mlp.gate_up.weight"], 2, axis=-1)
        x = x + (gate / (1 + jnp.exp(-gate)) * up) @ w[f"{block}.mlp.down.weight"]
    return norm(x, "norm") @ w.get("head.weight", w["token.weight"].T)


@pytest.mark.parametrize("tied", [True, False])
def test_logits_and_gradients_equal_those_of_an_independent_twin(tied, filled, assert_same):
    model = filled(lambda: Llama.init(KEY, LlamaConfig(**SMALL, tied=tied)))
    assert_same(lambda model, ids: model(ids), twin, model, IDS, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("preset", "published"),
    [("15m", 15_191_712), ("110m", 109_529_856), ("1.1b", 1_100_048_384), ("7b", 6_738_415_616)],
)
def test_parameter_counts_equal_the_published(preset, published):
    """The counts of llama2.c's stories15M and stories110M, TinyLlama 1.1B and Llama 2 7B."""
    assert paths.count(jax.eval_shape(lambda: Llama.init(KEY, LlamaConfig.preset(preset)))) == published


def test_the_count_follows_from_the_configuration():
    attention = 16 * (4 + 2 * 2) * 4 + 16 * 16
    block = attention + 3 * 16 * 12 + 2 * 16
    model = jax.eval_shape(lambda: Llama.init(KEY, LlamaConfig(**SMALL)))
    assert paths.count(model) == 2 * 11 * 16 + 2 * block + 16


def test_vmap_over_models_equals_one_after_the_other(filled):
    models = [filled(lambda: Llama.init(KEY, LlamaConfig(**SMALL)))]
    models.append(jax.tree.map(lambda x: x[::-1], models[0]))
    stacked = jax.tree.map(lambda *xs: np.stack(xs), *models)
    forward = jax.jit(Llama.__call__)
    together = jax.jit(jax.vmap(Llama.__call__, (0, None)))(stacked, IDS)
    np.testing.assert_allclose(together, np.stack([forward(m, IDS) for m in models]), rtol=1e-3, atol=1e-4)
