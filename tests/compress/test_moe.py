import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minitorch as mt
from minitorch.compress import RECIPES, moe, prune, quantize, quantize_gptq
from minitorch.compress.moe import Mixture, Recipe, Router
from minitorch.infer import generate, generate_naive
from minitorch.nn import Linear, paths
from minitorch.train import load_run, train


@pytest.fixture
def mixture(filled):
    """Four linear experts: a mixture does not ask what its experts are."""
    experts = [Linear.init(jax.random.key(0), 6, 6) for _ in range(4)]
    return filled(lambda: Mixture.init(jax.random.key(0), 6, experts, 2))


def texts(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def by_hand(m, x, top):
    """Token by token, as one would explain it."""
    y = np.zeros_like(x)
    for i, token in enumerate(x):
        logits = np.float64(token @ m.router.weight)
        p = np.exp(logits) / np.exp(logits).sum()
        best = np.argsort(-p)[:top]
        weights = p[best] / (p[best].sum() if top > 1 else 1)
        y[i] = sum(w * (token @ m.experts[e].weight + m.experts[e].bias) for w, e in zip(weights, best, strict=True))
    return y


@pytest.mark.parametrize("top", [1, 2])
@pytest.mark.parametrize("tokens", [3, 12])  # Few, of which no expert is asked in vain, and many.
def test_the_best_experts_answer_in_proportion(mixture, top, tokens):
    m, x = dataclasses.replace(mixture, top=top), texts(tokens, 6)
    assert_allclose(m(x[None])[0], by_hand(m, x, top), rtol=1e-4, atol=1e-5)


def test_with_room_for_all_capacity_drops_nothing(mixture, assert_same):
    x = texts(12, 6)

    def within(m, x):
        return m.answer_within(x, m.route(x), 2.0)

    def value_and_gradient(fun, grad):
        return jax.jit(grad(lambda m, x: mt.ops.sum(mt.ops.sin(fun(m, x)))))(mixture, x)

    assert_allclose(jax.jit(within)(mixture, x), mixture(x), rtol=1e-4, atol=1e-5)
    dropless = value_and_gradient(lambda m, x: m(x), jax.grad)
    for fun, grad in ((within, mt.grad), (within, jax.grad), (lambda m, x: m(x), mt.grad)):
        jax.tree.map(lambda a, b: assert_allclose(a, b, rtol=1e-3, atol=1e-5), value_and_gradient(fun, grad), dropless)


def test_beyond_its_capacity_an_expert_takes_the_first_only(mixture):
    m = dataclasses.replace(mixture, top=1)
    x = np.tile(texts(1, 6), (8, 1))  # All choose the same.
    y = m.answer_within(x, m.route(x), 1.0)  # 8 tokens over 4 experts: two each.
    assert_allclose(y[:2], by_hand(m, x, 1)[:2], rtol=1e-4, atol=1e-5)
    assert (y[2:] == 0).all()


def test_the_losses_are_their_formulas(mixture):
    x = texts(12, 6)
    routing = mixture.route(x)
    logits = np.float64(x @ mixture.router.weight)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    f = np.bincount(np.argsort(-p, axis=1)[:, :2].ravel(), minlength=4) / 24
    assert_allclose(moe.balance_loss(routing), 4 * (f * p.mean(0)).sum(), rtol=1e-5)
    assert_allclose(moe.z_loss(routing), np.mean(np.log(np.exp(logits).sum(1)) ** 2), rtol=1e-5)


def test_an_even_router_has_the_least_balance_loss(mixture):
    x = jnp.eye(4).repeat(3, axis=0)
    m = dataclasses.replace(mixture, router=Router(20 * jnp.eye(4)), top=1)
    assert_allclose(moe.balance_loss(m.route(x)), 1, rtol=1e-5)
    assert_allclose(moe.balance_loss(m.route(x[:3])), 4, rtol=1e-5)  # All to one.


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_an_upcycled_model_is_at_first_the_dense_one_and_generates(kind, request):
    model = jax.tree.map(jnp.asarray, request.getfixturevalue(kind))
    sparse, ids = moe.upcycle(model, jax.random.key(0), 3, 2), jnp.arange(16).reshape(2, 8) % 11
    assert_allclose(sparse(ids), model(ids), rtol=1e-4, atol=1e-5)
    assert paths.count(sparse) > 1.5 * paths.count(model)
    options = dict(key=jax.random.key(0))
    assert_array_equal(generate(sparse, [[1, 2]], 3, **options), generate_naive(sparse, [[1, 2]], 3, **options))


def test_a_new_mixture_trains_evenly_in_the_loop_and_is_loaded_as_it_was(tiny, tmp_path):
    config = dataclasses.replace(tiny, steps=40, eval_every=40, checkpoint_every=40)
    train(config, tmp_path / "run", task=moe.learn_mixture(Recipe(experts=4, top=2)))
    run = load_run(tmp_path / "run")
    mixture = run.model.blocks[0].mlp
    assert isinstance(mixture, Mixture) and mixture.experts[0].down.weight.shape == (16, 8)  # Half of 32 neurons.
    ids = jnp.asarray(run.tokenizer.encode(tiny_text(tiny))[:1600]).reshape(-1, 16)
    use = np.asarray(moe.expert_use(run.model, ids))
    assert use.shape == (1, 4) and use.sum() == pytest.approx(2)
    assert (use > 0.25).all() and (use < 1).all()  # Within twice and half of an even 1/2.


def tiny_text(config):
    with open(config.data, encoding="utf-8") as file:
        return file.read()


def test_a_router_is_in_float32_and_left_alone_by_what_is_done_to_linear_layers(gpt):
    sparse = moe.upcycle(jax.tree.map(jnp.asarray, gpt), jax.random.key(0), 4)
    half = mt.nn.cast(sparse, jnp.bfloat16).blocks[0].mlp
    x = jnp.asarray(texts(50, 8), jnp.bfloat16)
    assert_allclose(half.route(x).logits, np.float32(x) @ np.float32(half.router.weight), rtol=1e-5, atol=1e-6)
    small = quantize(sparse, RECIPES["int8"])
    assert_array_equal(small.blocks[0].mlp.router.weight, sparse.blocks[0].mlp.router.weight)
    assert not any("router" in path for path in prune.magnitude(sparse, 0.5))


def test_what_experts_read_is_not_known(gpt):
    sparse, ids = moe.upcycle(gpt, jax.random.key(0)), jnp.ones((1, 4), int)
    with pytest.raises(
        ValueError, match=r"GPTQ judges a layer by what it reads, .* as in blocks.0.mlp: round or prune"
    ):
        quantize_gptq(sparse, RECIPES["int8"], [ids])
    with pytest.raises(ValueError, match="Wanda judges a layer by what it reads"):
        prune.wanda(sparse, ids, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: moe.upcycle(m, jax.random.key(0), 2, 3), "3 of 2 experts cannot answer: choose top from 1 to 2"),
        (lambda m: moe.upcycle(m, jax.random.key(0), 2, 1), "an upcycled mixture asks two experts or more, and not 1"),
        (lambda m: moe.upcycle(m, jax.random.key(0), pattern="mlp"), "no feed-forward layer has a path like 'mlp'"),
        (lambda m: Recipe(capacity=0), "a capacity of 0 lets no expert answer"),
        (lambda m: Recipe(z=-1), "balance and z weigh losses, so -1 is not possible"),
        (lambda m: moe.run_watched(m, jnp.ones((1, 2), int)), "this model has no mixture of experts"),
    ],
)
def test_what_does_not_fit_ends_in_one_clear_error(gpt, call, message):
    with pytest.raises(ValueError, match=message):
        call(gpt)
