import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import minitorch as mt
from minitorch.models import moe
from minitorch.models.moe import MoE, Router
from minitorch.nn import Linear


@pytest.fixture(scope="module")
def layer(filled):
    """Return a mixture of four linear experts, since an expert may be any layer."""
    experts = [Linear.init(jax.random.key(0), 6, 6) for _ in range(4)]
    return filled(lambda: MoE.init(jax.random.key(0), 6, experts, 2))


def tokens(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def with_top_k(layer, top_k):
    return dataclasses.replace(layer, router=dataclasses.replace(layer.router, top_k=top_k))


def by_definition(layer, x, top_k):
    """Compute the mixture token by token."""
    y = np.zeros_like(x)
    for i, token in enumerate(x):
        logits = np.float64(token @ layer.router.weight)
        p = np.exp(logits) / np.exp(logits).sum()
        best = np.argsort(-p)[:top_k]
        gates = p[best] / (p[best].sum() if top_k > 1 else 1)
        outputs = [token @ layer.experts[e].weight + layer.experts[e].bias for e in best]
        y[i] = sum(gate * output for gate, output in zip(gates, outputs, strict=True))
    return y


@pytest.mark.parametrize("top_k", [1, 2])
@pytest.mark.parametrize("count", [3, 12])  # With few tokens, experts that none of them chose are skipped.
def test_the_outputs_of_the_best_experts_are_summed_by_their_gates(layer, top_k, count):
    layer, x = with_top_k(layer, top_k), tokens(count, 6)
    assert_allclose(layer(x[None])[0], by_definition(layer, x, top_k), rtol=1e-4, atol=1e-5)


def test_a_large_capacity_drops_no_token(layer):
    x = tokens(12, 6)
    limited = dataclasses.replace(layer, capacity=2.0)

    def gradient(layer, grad):
        return jax.jit(grad(lambda layer, x: mt.ops.sum(mt.ops.sin(layer(x)))))(layer, x)

    assert_allclose(jax.jit(lambda layer, x: layer(x))(limited, x), layer(x), rtol=1e-4, atol=1e-5)
    dropless = gradient(layer, jax.grad)
    for kind, grad in ((limited, mt.grad), (limited, jax.grad), (layer, mt.grad)):
        for a, b in zip(jax.tree.leaves(gradient(kind, grad)), jax.tree.leaves(dropless), strict=True):
            assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_beyond_its_capacity_an_expert_takes_only_the_first_tokens(layer):
    layer = dataclasses.replace(with_top_k(layer, 1), capacity=1.0)
    x = np.tile(tokens(1, 6), (8, 1))  # All tokens choose the same expert.
    y = layer(x)  # 8 tokens over 4 experts: two each.
    assert_allclose(y[:2], by_definition(layer, x, 1)[:2], rtol=1e-4, atol=1e-5)
    assert (y[2:] == 0).all()


@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_a_text_within_a_capacity_is_computed_alike_in_every_batch(layer, top_k):
    layer, x = dataclasses.replace(with_top_k(layer, top_k), capacity=0.7), tokens(4, 7, 6)
    for batch in (x[:2], x[1:2], x[::-1]):
        assert_allclose(layer(batch)[0], layer(x)[[0, 1, 3][[2, 1, 4].index(len(batch))]], rtol=1e-4, atol=1e-5)
    assert abs(layer(x) - dataclasses.replace(layer, capacity=None)(x)).max() > 0.1


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_the_balance_loss_is_that_of_the_whole_batch_on_any_number_of_devices(layer, devices):
    x = np.sort(tokens(32, 6), axis=0)  # Neighbours choose the same experts.

    def loss(router, x):
        return moe.balance_loss(router(x))

    def on_one_device(x):
        return jax.lax.pmean(mt.value_and_grad(loss)(layer.router, x), "data")

    values = jax.vmap(on_one_device, axis_name="data")(x.reshape(devices, -1, 6))
    for ours, expected in zip(
        jax.tree.leaves(values), jax.tree.leaves(jax.value_and_grad(loss)(layer.router, x)), strict=True
    ):
        assert_allclose(ours, np.broadcast_to(expected, ours.shape), rtol=1e-4, atol=1e-6)


def test_the_losses_equal_their_formulas(layer):
    x = tokens(12, 6)
    routing = layer.router(x)
    logits = np.float64(x @ layer.router.weight)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    f = np.bincount(np.argsort(-p, axis=1)[:, :2].ravel(), minlength=4) / 24
    assert_allclose(moe.balance_loss(routing), 4 * (f * p.mean(0)).sum(), rtol=1e-5)
    assert_allclose(moe.z_loss(routing), np.mean(np.log(np.exp(logits).sum(1)) ** 2), rtol=1e-5)


def test_an_even_router_has_the_smallest_balance_loss():
    x = jnp.eye(4).repeat(3, axis=0)
    router = Router(20 * jnp.eye(4), 1)
    assert_allclose(moe.balance_loss(router(x)), 1, rtol=1e-5)
    assert_allclose(moe.balance_loss(router(x[:3])), 4, rtol=1e-5)  # All tokens choose the same expert.


def test_forward_with_routing_returns_the_logits_and_the_routing_of_each_layer(gpt, layer):
    ids = jnp.arange(16).reshape(2, 8) % 11
    block = gpt.blocks[1]
    experts = [block.mlp] * 4
    mixture = MoE(Router(tokens(8, 4), 2), experts)
    model = dataclasses.replace(gpt, blocks=[gpt.blocks[0], dataclasses.replace(block, mlp=mixture)])
    logits, (routing,) = jax.jit(moe.forward_with_routing)(model, ids)
    assert_allclose(
        logits, jax.jit(lambda model: model(ids))(gpt), rtol=1e-4, atol=1e-5
    )  # Gates of equal experts sum to 1.
    assert routing.chosen.shape == (16, 4)
    assert (routing.chosen.sum(axis=1) == 2).all()
    dropped, _ = jax.jit(moe.forward_with_routing, static_argnums=2)(model, ids, 0.1)
    assert abs(dropped - logits).max() > 1e-3


def test_a_router_computes_in_float32(layer):
    half = mt.nn.cast(jax.tree.map(jnp.asarray, layer), jnp.bfloat16)
    x = jnp.asarray(tokens(50, 6), jnp.bfloat16)
    routing = half.router(x)
    assert_allclose(routing.logits, np.float32(x) @ np.float32(half.router.weight), rtol=1e-5, atol=1e-6)
    assert routing.gates.dtype == jnp.bfloat16


def test_impossible_arguments_raise(gpt):
    with pytest.raises(ValueError, match="a token cannot have 3 of 2 experts: choose top_k from 1 to 2"):
        MoE.init(jax.random.key(0), 6, [None, None], 3)
    with pytest.raises(ValueError, match="this model has no mixture of experts"):
        moe.forward_with_routing(gpt, jnp.ones((1, 2), int))
