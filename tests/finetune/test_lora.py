import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minitorch as mt
from minitorch.compress import RECIPES, quantize
from minitorch.finetune import lora
from minitorch.infer import generate, generate_naive
from minitorch.nn import Linear, paths

pytestmark = pytest.mark.slow

IDS = jnp.arange(16).reshape(2, 8) % 11
forward = jax.jit(lambda model, ids: model(ids))


def randomized(adapters, seed=1):
    """Return the same adapters with random numbers in place of the initial zeros."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape, scale=0.3) + 0.5, jnp.float32), adapters)


@pytest.mark.parametrize("dora", [False, True])
def test_new_adapters_change_nothing(gpt, dora):
    adapters = lora.init_adapters(jax.random.key(0), gpt, rank=2, dora=dora)
    assert len(adapters) == 8
    assert_allclose(forward(lora.attach(gpt, adapters), IDS), forward(gpt, IDS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dora", [False, True])
def test_a_layer_equals_the_papers_formula(dora, filled):
    base = filled(lambda: Linear.init(jax.random.key(0), 5, 3))
    adapter = lora.Adapter(*randomized([jnp.ones((5, 2)), jnp.ones((2, 3)), jnp.ones(3)]), scale=1.5)
    adapter = adapter if dora else dataclasses.replace(adapter, magnitude=None)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    weight = base.weight + 1.5 * np.asarray(adapter.a) @ np.asarray(adapter.b)
    if dora:
        weight = np.asarray(adapter.magnitude) * weight / np.linalg.norm(weight, axis=0)
    assert_allclose(lora.LoRALinear(base, adapter)(x), x @ weight + base.bias, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dora", [False, True])
@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_merged_weights_are_the_exact_sum_rounded_once_and_unmerge_returns_the_base(kind, dora, request):
    model = request.getfixturevalue(kind)
    adapters = randomized(lora.init_adapters(jax.random.key(0), model, "blocks.*.attention.*", rank=2, dora=dora))
    adapted = lora.attach(model, adapters)
    merged = lora.merge(adapted)
    assert jax.tree.structure(merged) == jax.tree.structure(model)
    for path, adapter in adapters.items():
        exact = np.float64(paths.flatten(model)[f"{path}.weight"])
        exact = exact + adapter.scale * (np.float64(adapter.a) @ np.float64(adapter.b))
        if dora:
            exact = exact * np.float64(adapter.magnitude) / np.sqrt((exact**2).sum(0))
        assert_array_equal(paths.flatten(merged)[f"{path}.weight"], exact.astype(np.float32))
    assert_allclose(forward(merged, IDS), forward(adapted, IDS), rtol=1e-4, atol=1e-4)
    back = lora.unmerge(adapted)
    assert jax.tree.structure(back) == jax.tree.structure(model)
    jax.tree.map(assert_array_equal, back, model)


def test_only_adapters_get_gradients_and_they_equal_those_of_jax(gpt):
    adapters = randomized(lora.init_adapters(jax.random.key(0), gpt, "blocks.0.*", rank=2))

    def loss(adapters, model):
        return mt.nn.cross_entropy(lora.attach(model, adapters)(IDS[:, :-1]), IDS[:, 1:])

    ours, theirs = jax.jit(mt.grad(loss))(adapters, gpt), jax.jit(jax.grad(loss))(adapters, gpt)
    jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-3, atol=1e-6), ours, theirs)
    assert paths.count(ours) == paths.count(adapters) < 0.5 * paths.count(gpt)


def test_adapters_are_saved_on_their_own_and_loaded(gpt, tmp_path):
    adapters = randomized(lora.init_adapters(jax.random.key(0), gpt, "blocks.1.*", rank=2, alpha=3, dora=True))
    adapters["token"] = lora.NewRows(jnp.ones((2, 8)))
    lora.save_adapters(adapters, tmp_path / "x.safetensors")
    again = lora.load_adapters(tmp_path / "x.safetensors")
    assert again.keys() == adapters.keys()
    up = again["blocks.1.mlp.up"]
    assert isinstance(up, lora.Adapter)
    assert up.scale == 1.5
    jax.tree.map(assert_array_equal, again, {path: adapters[path] for path in again})
    assert (tmp_path / "x.safetensors").stat().st_size < 8000
    paths.save_safetensors(gpt, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"holds no adapters .*: give the adapter.safetensors of a fine-tuning run"):
        lora.load_adapters(tmp_path / "model.safetensors")


@pytest.mark.parametrize("kind", ["gpt", "llama"])  # A GPT has tied embeddings, a Llama a last layer.
def test_new_rows_equal_those_of_a_longer_table(kind, request):
    model = request.getfixturevalue(kind)
    rows = randomized(jnp.ones((2, 8)))
    adapters = {"token": lora.NewRows(rows)} | ({"head": lora.NewRows(2 * rows)} if model.head else {})
    grown = lora.attach(model, adapters)
    merged, ids = lora.merge(grown), jnp.array([[1, 12, 3, 11, 0]])
    assert grown.config.vocab == merged.config.vocab == 13
    assert merged.token.weight.shape == (13, 8)
    assert forward(grown, ids).shape == (1, 5, 13)
    assert_allclose(forward(grown, ids), forward(merged, ids), rtol=1e-5, atol=1e-5)
    assert_allclose(forward(grown, IDS)[..., :11], forward(model, IDS), rtol=1e-5, atol=1e-5)
    assert jax.tree.structure(lora.unmerge(grown)) == jax.tree.structure(model)


def test_a_model_with_adapters_generates(gpt):
    model = jax.tree.map(jnp.asarray, gpt)
    adapters = randomized(lora.init_adapters(jax.random.key(0), model, rank=2)) | {
        "token": lora.NewRows(jnp.ones((1, 8)))
    }
    adapted, options = lora.attach(model, adapters), dict(key=jax.random.key(0))
    assert_array_equal(generate(adapted, [[1, 2]], 3, **options), generate_naive(adapted, [[1, 2]], 3, **options))


@pytest.mark.parametrize("dora", [False, True])
def test_a_quantized_base_is_adapted_with_the_same_calls(gpt, dora):
    base = quantize(jax.tree.map(jnp.asarray, gpt), RECIPES["int8"])
    adapters = randomized(lora.init_adapters(jax.random.key(0), base, "blocks.*.mlp.*", rank=2, dora=dora))
    adapters["token"] = lora.NewRows(jnp.ones((2, 8)))

    def loss(adapters, base):
        return mt.nn.cross_entropy(lora.attach(base, adapters)(IDS[:, :-1]), IDS[:, 1:])

    gradient = jax.jit(mt.grad(loss))(adapters, base)
    assert jax.tree.structure(gradient) == jax.tree.structure(adapters)
    assert all(jnp.abs(g).sum() > 0 for g in jax.tree.leaves(gradient))
    adapted = lora.attach(base, adapters)
    merged = lora.merge(adapted)
    assert isinstance(merged.blocks[0].mlp.up, Linear)
    assert merged.config.vocab == 13
    assert_allclose(forward(merged, IDS), forward(adapted, IDS), rtol=1e-3, atol=1e-3)
    jax.tree.map(assert_array_equal, lora.unmerge(adapted), base)


def test_a_column_of_zeros_has_no_direction_and_stays_finite(gpt):
    up = gpt.blocks[0].mlp.up.weight.copy()
    up[:, 3] = 0
    pruned = paths.replace(gpt, {"blocks.0.mlp.up.weight": up})
    adapted = lora.attach(pruned, lora.init_adapters(jax.random.key(0), pruned, "blocks.0.mlp.up", rank=2, dora=True))
    assert_allclose(forward(adapted, IDS), forward(pruned, IDS), rtol=1e-4, atol=1e-5)
    assert_allclose(lora.merge(adapted).blocks[0].mlp.up.weight, up, rtol=1e-6)


UP = {"blocks.0.mlp.up": lora.Adapter(jnp.ones((8, 1)), jnp.ones((1, 32)))}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: lora.init_adapters(jax.random.key(0), m, rank=0),
            "rank must be a whole number, 1 or more, and is 0",
        ),
        (
            lambda m: lora.init_adapters(jax.random.key(0), m, "blocks.*.attention.q"),
            r"no linear layer has a path like 'blocks.\*.attention.q'. The nearest: blocks.\d.attention",
        ),
        (lambda m: lora.merge(m), "this model has no adapters: attach some first"),
        (
            lambda m: lora.attach(m, {"blocks.0.mlp.up": lora.Adapter(jnp.ones((9, 1)), jnp.ones((1, 4)))}),
            "the adapter of blocks.0.mlp.up is for a layer 9 -> 4, and this model's is 8 -> 32",
        ),
        (
            lambda m: lora.attach(m, {"blocks.0.mlp.upp": lora.Adapter(jnp.ones((9, 1)), jnp.ones((1, 4)))}),
            "nothing in this GPT has the path 'blocks.0.mlp.upp'. The nearest: blocks.0.mlp.up",
        ),
        (
            lambda m: lora.attach(m, {"norm": lora.Adapter(jnp.ones((8, 1)), jnp.ones((1, 8)))}),
            "norm cannot take this adapter, or has one already: attach adapters once",
        ),
        (
            lambda m: lora.attach(lora.attach(m, UP), UP),
            "blocks.0.mlp.up cannot take this adapter, or has one already",
        ),
        (lambda m: lora.attach(m, {"head": lora.NewRows(jnp.ones((1, 8)))}), "head cannot take this adapter"),
    ],
)
def test_adapters_that_do_not_fit_raise(gpt, call, message):
    with pytest.raises(ValueError, match=message):
        call(gpt)
