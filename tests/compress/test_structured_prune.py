import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import minitorch as mt
from minitorch.compress import structured_prune
from minitorch.infer import generate, generate_naive
from minitorch.nn import paths
from minitorch.train import flops_per_token

pytestmark = pytest.mark.slow

IDS = jnp.arange(18).reshape(2, 9) % 11
forward = jax.jit(lambda model, ids: model(ids))


def zeroed(model, path, rows):
    weight = np.array(paths.flatten(model)[path])
    weight[rows] = 0
    return paths.replace(model, {path: weight})


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_removing_a_head_equals_setting_its_output_to_zero(kind, request):
    model = request.getfixturevalue(kind)
    blocks = [dataclasses.replace(b, attention=structured_prune.keep_heads(b.attention, [1])) for b in model.blocks]
    small = dataclasses.replace(model, blocks=blocks)
    for i in range(2):
        model = zeroed(model, f"blocks.{i}.attention.out.weight", slice(0, 4))
    assert_allclose(forward(small, IDS[:, :-1]), forward(model, IDS[:, :-1]), rtol=1e-4, atol=1e-5)
    assert paths.count(small) < paths.count(model)


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_removing_a_neuron_equals_setting_its_output_to_zero(kind, request):
    model = request.getfixturevalue(kind)
    blocks = [dataclasses.replace(b, mlp=structured_prune.keep_neurons(b.mlp, range(1, 12))) for b in model.blocks]
    small = dataclasses.replace(model, blocks=blocks)
    width = model.blocks[0].mlp.down.weight.shape[0]
    removed = [0, *range(12, width)]
    for i in range(2):
        model = zeroed(model, f"blocks.{i}.mlp.down.weight", removed)
    assert_allclose(forward(small, IDS[:, :-1]), forward(model, IDS[:, :-1]), rtol=1e-4, atol=1e-5)


def test_importance_is_the_gradient_of_a_factor_on_the_output(gpt):
    def loss(factors, text):
        out = gpt.blocks[0].attention.out
        rows = jnp.repeat(factors, 4)[:, None]
        model = paths.replace(gpt, {"blocks.0.attention.out.weight": out.weight * rows})
        return mt.nn.cross_entropy(model(text[None, :-1]), text[None, 1:])

    heads, neurons, turned = structured_prune._importances(gpt, IDS)
    slopes = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))(jnp.ones(2), IDS)
    assert_allclose(heads[0], jnp.abs(slopes).mean(axis=0), rtol=1e-3, atol=1e-6)
    assert (jnp.abs(slopes.mean(axis=0)) < 0.95 * heads[0]).any(), "texts that agree compare nothing"
    assert [len(n) for n in neurons] == [32, 32]
    assert turned.shape == (2,)
    assert (turned > 0).all()


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_a_shrunk_model_is_smaller_and_faster_and_generates(kind, request):
    model = jax.tree.map(jnp.asarray, request.getfixturevalue(kind))
    small = structured_prune.shrink(model, IDS, heads=0.5, neurons=0.5, layers=0.5)
    assert (small.config.layers, len(small.blocks), small.blocks[0].attention.kv_heads) == (1, 1, 1)
    assert small.blocks[0].mlp.down.weight.shape[0] == model.blocks[0].mlp.down.weight.shape[0] // 2
    assert flops_per_token(small) < 0.6 * flops_per_token(model)
    assert paths.count(small) < paths.count(model)
    options = dict(key=jax.random.key(0))
    np.testing.assert_array_equal(
        generate(small, [[1, 2, 3]], 4, **options), generate_naive(small, [[1, 2, 3]], 4, **options)
    )


def test_the_least_important_are_removed_and_one_is_kept():
    assert structured_prune.top_scores(jnp.array([3.0, 1, 2, 4]), 0.5) == [0, 3]
    assert structured_prune.top_scores(jnp.array([3.0, 1, 2]), 0.99) == [0]


@pytest.mark.parametrize(
    ("options", "ids", "message"),
    [
        (dict(heads=1.0), IDS, "heads must be the share of them to remove, from 0 up to below 1, and is 1.0"),
        (dict(layers=-0.1), IDS, "layers must be the share of them to remove, from 0"),
        (dict(heads=0.5), IDS[:0], r"importance is measured on texts \(B, T \+ 1\), but the ids have shape \(0, 9\)"),
    ],
)
def test_impossible_arguments_raise(gpt, options, ids, message):
    with pytest.raises(ValueError, match=message):
        structured_prune.shrink(gpt, ids, **options)


def test_a_layer_of_another_kind_raises(gpt):
    block = dataclasses.replace(gpt.blocks[1], mlp=mt.nn.Linear(jnp.ones((8, 8))))
    changed = dataclasses.replace(gpt, blocks=[gpt.blocks[0], block])
    with pytest.raises(ValueError, match=r"blocks.1 is not a plain layer of GPT or Llama: shrink a model before"):
        structured_prune.shrink(changed, IDS, heads=0.5)
