import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from minitorch.compress import RECIPES, moe, prune, quantize, quantize_gptq
from minitorch.compress.moe import MoEConfig
from minitorch.infer import generate, generate_naive
from minitorch.models.moe import MoE
from minitorch.nn import paths
from minitorch.train import load_run, train

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_an_upcycled_model_equals_the_dense_model_at_first_and_generates(kind, request):
    model = jax.tree.map(jnp.asarray, request.getfixturevalue(kind))
    sparse, ids = moe.upcycle(model, jax.random.key(0), 3, 2), jnp.arange(16).reshape(2, 8) % 11
    forward = jax.jit(lambda model: model(ids))
    assert_allclose(forward(sparse), forward(model), rtol=1e-4, atol=1e-5)
    assert paths.count(sparse) > 1.5 * paths.count(model)
    options = dict(key=jax.random.key(0))
    assert_array_equal(generate(sparse, [[1, 2]], 3, **options), generate_naive(sparse, [[1, 2]], 3, **options))


def test_a_new_mixture_is_trained_with_even_use_and_is_loaded_from_its_run(tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=40, eval_every=40, checkpoint_every=40)
    train(config, tmp_path / "run", task=moe.train_moe(MoEConfig(experts=4, top_k=2)))
    run = load_run(tmp_path / "run")
    mixture = run.model.blocks[0].mlp
    assert isinstance(mixture, MoE)
    assert mixture.capacity is None  # The capacity limits training only.
    assert mixture.experts[0].down.weight.shape == (16, 8)  # Half of 32 neurons.
    text = Path(tiny.data).read_text(encoding="utf-8")
    ids = jnp.asarray(run.tokenizer.encode(text)[:1600]).reshape(-1, 16)
    use = np.asarray(moe.expert_use(run.model, ids))
    assert use.shape == (1, 4)
    assert use.sum() == pytest.approx(2)
    assert (use > 0.25).all()  # Between half and twice an even share, which is 1/2.
    assert (use < 1).all()


def test_quantization_and_pruning_leave_a_router_as_it_is(gpt):
    sparse = moe.upcycle(jax.tree.map(jnp.asarray, gpt), jax.random.key(0), 4)
    small = quantize(sparse, RECIPES["int8"])
    assert_array_equal(small.blocks[0].mlp.router.weight, sparse.blocks[0].mlp.router.weight)
    assert not any("router" in path for path in prune.magnitude(sparse, 0.5))


def test_methods_that_use_the_inputs_of_layers_reject_mixtures(gpt):
    sparse, ids = moe.upcycle(gpt, jax.random.key(0)), jnp.ones((1, 4), int)
    with pytest.raises(
        ValueError, match=r"GPTQ uses the inputs of each layer, .* as in blocks.0.mlp: quantize or prune"
    ):
        quantize_gptq(sparse, RECIPES["int8"], [ids])
    with pytest.raises(ValueError, match="Wanda uses the inputs of each layer"):
        prune.wanda(sparse, ids, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: moe.upcycle(m, jax.random.key(0), 2, 3), "a token cannot have 3 of 2 experts: choose top_k from 1"),
        (lambda m: moe.upcycle(m, jax.random.key(0), 2, 1), "needs two experts per token or more, .* and not 1"),
        (lambda m: moe.upcycle(m, jax.random.key(0), pattern="mlp"), "no feed-forward layer has a path like 'mlp'"),
        (lambda m: MoEConfig(capacity=0), "with a capacity of 0 no expert takes a token"),
        (lambda m: MoEConfig(z=-1), "balance and z are weights of losses, so -1 is not possible"),
    ],
)
def test_impossible_arguments_raise(gpt, call, message):
    with pytest.raises(ValueError, match=message):
        call(gpt)
