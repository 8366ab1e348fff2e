"""Tests of all optimizers: each follows its optax twin, and all have the same properties."""

from __future__ import annotations

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
from jax.flatten_util import ravel_pytree

from minitorch import optim


def matrices(params):
    return jax.tree.map(lambda p: p.ndim >= 2, params)


WARMUP = (0.0, 0.02, 10, 90, 0.002)
TWINS = {
    "sgd": (optim.sgd(0.1), optax.sgd(0.1)),
    "momentum": (optim.sgd(0.03, momentum=0.9), optax.sgd(0.03, momentum=0.9)),
    "nesterov": (optim.sgd(0.03, momentum=0.9, nesterov=True), optax.sgd(0.03, momentum=0.9, nesterov=True)),
    "adam": (optim.adam(0.02, b1=0.8, b2=0.95, eps=1e-6), optax.adam(0.02, b1=0.8, b2=0.95, eps=1e-6)),
    "adamw": (
        optim.adamw(optim.warmup_cosine_decay_schedule(*WARMUP), weight_decay=0.1, mask=matrices),
        optax.adamw(optax.warmup_cosine_decay_schedule(*WARMUP), weight_decay=0.1, mask=matrices),
    ),
    "lion": (
        optim.lion(0.01, weight_decay=0.1, mask=matrices),
        optax.lion(0.01, weight_decay=0.1, mask=matrices),
    ),
    "adafactor": (optim.adafactor(0.1, min_dim_size_to_factor=3), optax.adafactor(0.1, min_dim_size_to_factor=3)),
    "muon": (
        optim.muon(0.02, weight_decay=0.1, adam_learning_rate=0.003, adam_weight_decay=0.2, adam_b2=0.95),
        optax.contrib.muon(0.02, weight_decay=0.1, adam_learning_rate=0.003, adam_weight_decay=0.2, adam_b2=0.95),
    ),
    "multi_steps": (
        optim.multi_steps(optim.adamw(0.02, weight_decay=0.1), every=3),
        optax.MultiSteps(optax.adamw(0.02, weight_decay=0.1), every_k_schedule=3),
    ),
    "partition": (
        optim.partition(matrices, optim.adam(0.02), optim.scale(0.0)),
        optax.partition({True: optax.adam(0.02), False: optax.set_to_zero()}, matrices),
    ),
    "clipped, theirs in ours and ours in theirs": (
        optim.chain(optax.clip_by_global_norm(1.0), optim.clip(0.2), optim.multi_steps(optax.adamw(0.02), every=2)),
        optax.chain(
            optim.clip_by_global_norm(1.0),
            optax.clip(0.2),
            optax.MultiSteps(optim.adamw(0.02), 2).gradient_transformation(),
        ),
    ),
}
ELEMENTWISE = {
    "sgd": lambda mask: optim.chain(optim.add_decayed_weights(0.1, mask), optim.sgd(0.1)),
    "momentum": lambda mask: optim.chain(optim.add_decayed_weights(0.1, mask), optim.sgd(0.03, momentum=0.9)),
    "adamw": lambda mask: optim.adamw(0.02, weight_decay=0.1, mask=mask),
    "lion": lambda mask: optim.lion(0.01, weight_decay=0.1, mask=mask),
}


@pytest.mark.parametrize("name", TWINS)
def test_follows_its_optax_twin_for_100_steps(name, params, descend, assert_same):
    (ours, _), (theirs, _) = descend(*((optimizer, params) for optimizer in TWINS[name]))
    assert_same(ours, theirs)
    moved = jax.tree.map(lambda path, start: np.abs(path[-1] - start).max(), ours, jax.device_get(params))
    assert max(jax.tree.leaves(moved)) > 0.05, "parameters that do not change compare nothing"


BLOCKS = ["scale_by_adam", "scale_by_lion", "scale_by_factored_rms", "scale_by_param_block_rms", "trace", "ema"]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "lion", "adafactor", *BLOCKS])
def test_arguments_have_the_names_and_defaults_of_optax(name):
    theirs = inspect.signature(getattr(optax, name)).parameters
    for argument, parameter in inspect.signature(getattr(optim, name)).parameters.items():
        if argument != "learning_rate":
            twin = theirs[argument] if argument in theirs else theirs[{"eps": "epsilon"}[argument]]
            assert twin.default == parameter.default, argument


def test_muon_has_the_names_and_defaults_of_optax():
    theirs = inspect.signature(optax.contrib.muon).parameters
    for argument, parameter in inspect.signature(optim.muon).parameters.items():
        assert theirs[argument].default == parameter.default, argument


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_one_flat_vector_trains_as_the_tree_does(name, params, descend):
    make = ELEMENTWISE[name]
    flat, _ = ravel_pytree(params)
    mask, _ = ravel_pytree(jax.tree.map(lambda p: jnp.full(p.shape, float(p.ndim >= 2)), params))
    (tree_path, _), (flat_path, _) = descend((make(matrices), params), (make(mask), flat))
    expected = np.concatenate([np.reshape(p, (len(p), -1)) for p in jax.tree.leaves(tree_path)], axis=1)
    np.testing.assert_allclose(flat_path, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["momentum", "adamw", "lion", "adafactor", "muon", "multi_steps"])
def test_bfloat16_parameters_keep_float32_moments(name, matrix):
    optimizer, _ = TWINS[name]

    @jax.jit
    def second_states(matrix):
        half = matrix.astype(jnp.bfloat16)
        states = []
        for weights in (half, half.astype(jnp.float32)):
            state = optimizer.init(weights)
            for gradient in (weights, weights * 0.5):
                _, state = optimizer.update(gradient, state, weights)
            states.append(state)
        return states

    ours, expected = map(jax.tree.leaves, second_states(matrix))
    for moment, reference in zip(ours, expected, strict=True):
        assert moment.dtype == reference.dtype
        np.testing.assert_allclose(moment, reference, rtol=1e-6)


def test_float64_is_kept(descend):
    with jax.enable_x64(True):
        start = jnp.linspace(-1, 1, sum((5, 28, 18, 24)), dtype=jnp.float64)
        (ours, state), (theirs, _) = descend((optim.adamw(0.02), start), (optax.adamw(0.02), start))
    assert ours.dtype == np.float64
    assert state[0].nu.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["adamw", "adafactor", "muon"])
def test_zero_gradients_give_finite_updates(name, matrix):
    optimizer, _ = TWINS[name]
    updates, _ = jax.jit(lambda p: optimizer.update(0 * p, optimizer.init(p), p))(matrix)
    assert np.isfinite(updates).all()


@pytest.mark.parametrize("name", ["nesterov", "adafactor", "muon", "multi_steps"])
def test_parameters_and_state_can_be_donated(name, matrix):
    optimizer, _ = TWINS[name]

    def step(params, state):
        updates, state = optimizer.update(params, state, params)
        return optim.apply_updates(params, updates), state

    compiled = jax.jit(step, donate_argnums=(0, 1))
    state = optimizer.init(matrix)
    for _ in range(2):  # JAX raises an error if two parts of the state share a buffer.
        old, (matrix, state) = matrix, compiled(matrix, state)
        assert old.is_deleted()
        assert np.isfinite(matrix).all()


def test_state_survives_an_orbax_checkpoint(params, tmp_path):
    ocp = pytest.importorskip("orbax.checkpoint")
    schedule = optim.linear_schedule(0.1, 0.0, 10)
    optimizer = optim.chain(optim.clip(1.0), optim.multi_steps(optim.muon(schedule), every=2))
    start, state = jax.jit(lambda p: (optimizer.init(p), optimizer.update(p, optimizer.init(p), p)[1]))(params)
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "state", state)
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "state", start)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    for value, saved in zip(jax.tree.leaves(restored), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(value, saved)


def test_adamw_needs_one_pass_for_each_array_it_writes():
    optimizer = optim.adamw(optim.linear_schedule(0.1, 0.0, 10), weight_decay=0.1)

    def step(params, state, gradients):
        updates, state = optimizer.update(gradients, state, params)
        return optim.apply_updates(params, updates), state

    leaf = jnp.ones(4096)
    compiled = jax.jit(step, donate_argnums=(0, 1)).lower(leaf, optimizer.init(leaf), leaf).compile()
    entry = compiled.as_text().split("ENTRY")[1].splitlines()
    passes = [line for line in entry if " = f32[4096]" in line and "parameter(" not in line]
    assert 1 <= len(passes) <= 3, "\n".join(passes)  # parameters, mu, nu; XLA fuses them further where it can


def test_learning_rates_can_be_swept_under_vmap(matrix):
    def first_step(rate):
        optimizer = optim.adamw(rate)
        return optimizer.update(matrix, optimizer.init(matrix), matrix)[0]

    steps = jax.jit(jax.vmap(first_step))(jnp.array([0.1, 0.2]))
    np.testing.assert_allclose(steps[1], 2 * steps[0], rtol=1e-6)


OF_NUMBERS = {
    **{name: TWINS[name][0] for name in ("sgd", "momentum", "nesterov", "adam", "adafactor", "muon")},
    "adamw": optim.adamw(0.1),
    "lion": optim.lion(0.1),
    "clip by norm": optim.chain(optim.clip_by_global_norm(1.0), optim.sgd(0.1)),
    "clip": optim.chain(optim.clip(0.5), optim.sgd(0.1)),
    "block rms": optim.clip_by_block_rms(1.0),
    "mean of batches": optim.multi_steps(optim.adam(0.1), 2),
    "average": optim.ema(0.9),
}


@pytest.mark.parametrize("number", [float, np.float32, np.float64], ids=lambda number: number.__name__)
@pytest.mark.parametrize("name", OF_NUMBERS)
def test_a_parameter_may_be_a_number(name, number):
    optimizer = OF_NUMBERS[name]

    def walk(x):
        params = {"number": x, "matrix": jnp.ones((2, 2))}
        state = optimizer.init(params)
        for _ in range(2):
            gradient = jax.tree.map(lambda p: p * 2.0, params)
            updates, state = optimizer.update(gradient, state, params)
            params = optim.apply_updates(params, updates)
        return params["number"]

    np.testing.assert_allclose(walk(number(1.5)), walk(jnp.float32(1.5)), rtol=1e-5)
