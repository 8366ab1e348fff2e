import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from numpy.testing import assert_array_equal

import minitorch as mt
from minitorch import optim
from minitorch.compress import RECIPES, prune, quantize
from minitorch.nn import paths

pytestmark = pytest.mark.slow

PATHS = [
    f"blocks.{i}.{name}.weight" for i in (0, 1) for name in ("attention.qkv", "attention.out", "mlp.up", "mlp.down")
]


def test_globally_the_smallest_weights_of_all_layers_are_removed(gpt):
    masks = prune.magnitude(gpt, 0.3)
    assert list(masks) == PATHS
    flat = paths.flatten(gpt)
    kept = np.concatenate([np.abs(flat[p])[masks[p]] for p in PATHS])
    removed = np.concatenate([np.abs(flat[p])[~masks[p]] for p in PATHS])
    assert removed.max() <= kept.min()
    assert len(removed) == round(0.3 * (len(removed) + len(kept)))
    assert prune.sparsity(prune.apply_masks(gpt, masks)) == pytest.approx(0.3, abs=1e-3)


def test_in_layer_scope_each_layer_loses_its_share(gpt):
    masks = prune.magnitude(gpt, 0.25, "blocks.*.mlp.*", scope="layer")
    assert {p: int((~m).sum()) for p, m in masks.items()} == {p: 64 for p in PATHS if ".mlp." in p}


def test_the_two_largest_of_four_inputs_are_kept(gpt):
    w = np.asarray(gpt.blocks[0].mlp.up.weight)
    mask = np.asarray(prune.n_of_m(gpt)["blocks.0.mlp.up.weight"])
    for i in range(0, 8, 4):
        for column in range(w.shape[1]):
            largest = np.sort(np.abs(w[i : i + 4, column]))[2:]
            assert_array_equal(np.sort(np.abs(w[i : i + 4, column][mask[i : i + 4, column]])), largest)


def test_wanda_scores_weights_by_the_norm_of_their_inputs(gpt):
    ids = jnp.arange(16).reshape(2, 8) % 11
    masks = prune.wanda(gpt, ids, 0.5)
    block, x = gpt.blocks[0], gpt.hidden_states(ids)[0]
    x = np.asarray(block.attention_norm(x), np.float64).reshape(-1, 8)  # The inputs of qkv.
    score = np.abs(np.asarray(block.attention.qkv.weight)) * np.sqrt((x**2).sum(0))[:, None]
    expected = np.zeros_like(score, bool)
    for j, column in enumerate(score.T):
        expected[np.argsort(column)[4:], j] = True
    assert_array_equal(masks["blocks.0.attention.qkv.weight"], expected)


def test_equal_weights_are_removed_only_up_to_the_sparsity(gpt):
    flat = jax.tree.map(lambda w: jnp.ones_like(jnp.asarray(w)), gpt)
    assert prune.sparsity(prune.apply_masks(flat, prune.magnitude(flat, 0.5))) == 0.5


def density(model):
    weights = [paths.flatten(model)[p] for p in PATHS]
    return sum(jnp.count_nonzero(w) for w in weights) / sum(w.size for w in weights)


OPTIMIZERS = [optim.adamw(0.1, weight_decay=0.1), optax.adamw(0.1, weight_decay=0.1)]


def trained(model, optimizer, steps):
    ids = jnp.arange(16).reshape(2, 8) % 11

    @jax.jit
    def step(carry, _):
        model, state = carry
        grads = mt.grad(lambda m: mt.nn.cross_entropy(m(ids[:, :-1]), ids[:, 1:]))(model)
        updates, state = optimizer.update(grads, state, model)
        model = optim.apply_updates(model, updates)
        return (model, state), density(model)

    (model, _), shares = jax.lax.scan(step, (model, optimizer.init(model)), None, steps)
    return model, np.asarray(shares)


@pytest.mark.parametrize("adamw", OPTIMIZERS, ids=["ours", "optax"])
def test_masked_weights_stay_zero_during_training_and_others_change(gpt, adamw):
    model = jax.tree.map(jnp.asarray, gpt)
    masks = prune.magnitude(model, 0.5)
    start = prune.apply_masks(model, masks)
    end, _ = trained(start, optim.chain(adamw, prune.keep_zeros(masks)), 3)
    for path, mask in masks.items():
        before, after = paths.flatten(start)[path], paths.flatten(end)[path]
        assert (after[~mask] == 0).all()
        assert (after[mask] != before[mask]).all()


def test_gradual_pruning_follows_its_schedule_and_never_restores_weights(gpt):
    model = jax.tree.map(jnp.asarray, gpt)
    schedule = prune.cubic_schedule(0.75, 2, 8)
    end, shares = trained(model, optim.chain(optim.sgd(0.01), prune.gradual(schedule, every=2)), 11)
    expected = [schedule(i - i % 2) for i in range(11)]
    np.testing.assert_allclose(1 - shares, expected, atol=0.02)
    assert prune.sparsity(end) == 0.75
    assert (np.diff(shares) <= 0).all()


def test_the_cubic_schedule_equals_the_papers():
    schedule = prune.cubic_schedule(0.8, 10, 110, initial=0.2)
    assert [float(schedule(i)) for i in (0, 10, 60, 110, 500)] == pytest.approx(
        [0, 0.2, 0.8 - 0.6 * 0.5**3, 0.8, 0.8], rel=1e-6
    )


def test_a_lottery_ticket_has_its_initial_weights_where_the_trained_ones_are_large(gpt):
    first = jax.tree.map(lambda w: w + 1, gpt)
    masks = prune.magnitude(gpt, 0.4)
    ticket = paths.flatten(prune.rewind(first, masks))
    for path, value in paths.flatten(first).items():
        assert_array_equal(ticket[path], np.where(masks.get(path, True), value, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: prune.magnitude(m, 1.0), "sparsity must be the share of weights to remove, .* and is 1.0"),
        (lambda m: prune.magnitude(m, 0.5, scope="all"), "scope is 'global' or 'layer', and not 'all'"),
        (
            lambda m: prune.magnitude(m, 0.5, "block.*"),
            r"no linear layer has a path like 'block\.\*'. The nearest: blocks",
        ),
        (lambda m: prune.n_of_m(m, 4, 4), "4 of 4 weights cannot be kept"),
        (lambda m: prune.n_of_m(m, 2, 5), "blocks.0.attention.qkv.weight has 8 inputs, which 5 does not divide"),
        (lambda m: prune.wanda(m, jnp.zeros((0, 8), int), 0.5), r"Wanda calibrates with texts \(B, T\), .* \(0, 8\)"),
        (lambda m: prune.cubic_schedule(0.5, 3, 3), "a schedule from step 3 to 3 has no steps"),
        (
            lambda m: prune.cubic_schedule(0.5, 0, 3, initial=1.5),
            "sparsity must be the share of weights to remove, .* is 1.5",
        ),
        (
            lambda m: prune.rewind(m, {"blocks.9.mlp.up.weight": jnp.ones((8, 32), bool)}),
            r"the mask of blocks.9.mlp.up.weight, \(8, 32\), is for another model",
        ),
        (
            lambda m: prune.magnitude(quantize(m, RECIPES["int8"]), 0.5),
            "this model has no linear layers to choose from",
        ),
        (lambda m: prune.magnitude(jax.tree.map(lambda w: w * np.nan, m), 0.5), "holds NaN or infinite numbers"),
    ],
)
def test_impossible_arguments_raise(gpt, call, message):
    with pytest.raises(ValueError, match=message):
        call(gpt)
