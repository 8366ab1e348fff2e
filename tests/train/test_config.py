import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.nn import paths
from minitorch.train import RunConfig
from minitorch.train.config import make_layout, make_optimizer

SMALL = dict(data="x", layers=1, heads=2, width=8, context=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(steps=0), "steps must be a whole number, 1 or more, and is 0"),
        (dict(batch=2.5), "batch must be a whole number"),
        (dict(model="bert"), "model must be one of gpt, llama, not 'bert'"),
        (dict(optimizer="adam"), "optimizer must be one of adamw, lion, muon, adafactor, custom, not 'adam'"),
        (dict(dtype="float16"), "dtype must be one of float32, bfloat16, not 'float16'"),
        (dict(lr=0.0), "lr must be a positive number, such as 1e-3, not 0.0"),
        (dict(lr=float("nan")), "lr must be a positive number, such as 1e-3, not nan"),
        (dict(clip=-1.0), "clip must be 0 or a positive number, not -1.0"),
        (dict(seed=2**32), "seed must be a whole number from 0 to 2**32 - 1, not 4294967296"),
        (dict(data=Path("x.txt")), "data must be a str, and is"),
        (dict(weight_decay=-0.1), "weight_decay must be 0 or a positive number, not -0.1"),
        (dict(steps=10, warmup=10), "warmup must be 0 or more and less than the 10 steps, not 10"),
        (dict(kv_heads=2), "kv_heads needs model='llama': choose that, or leave kv_heads out"),
        (dict(heads=3), "3 heads do not divide the width 8"),
        (dict(model="llama", kv_heads=3), "3 key/value heads do not divide the 2 heads"),
    ],
)
def test_invalid_settings_raise_at_once(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RunConfig(**{**SMALL, **settings})


def test_several_problems_are_listed_in_one_message():
    with pytest.raises(ValueError, match=r"steps must be .*; dtype must be one of"):
        RunConfig(**SMALL, steps=0, dtype="int8")


def test_the_rate_warms_up_to_lr_and_decays_to_a_tenth():
    rate = RunConfig(**SMALL, steps=2000, lr=1e-3).schedule()
    np.testing.assert_allclose([rate(0), rate(50), rate(100), rate(2000)], [0, 5e-4, 1e-3, 1e-4], atol=1e-9)
    assert RunConfig(**SMALL, steps=50).warmup_steps == 5
    assert RunConfig(**SMALL, steps=50, warmup=0).warmup_steps == 0


def prepared(config):
    """Return the compiled update of the optimizer of `config`, for weights that are all one."""
    model = jax.tree.map(lambda x: np.ones(x.shape, x.dtype), jax.eval_shape(lambda: config.init_model(5)))
    layout = make_layout(config, model, 2)
    optimizer = make_optimizer(config, model, layout)

    @jax.jit
    def update(gradient):
        weights = layout.pack(model)
        grads = layout.pack(jax.tree.map(lambda p: gradient * jnp.ones_like(p), model))
        return layout.unpack(optimizer.update(grads, optimizer.init(weights), weights)[0])

    return update


@pytest.mark.parametrize("name", ["adamw", "lion", "muon"])
def test_weight_decay_applies_to_matrices_only(name):
    update = prepared(RunConfig(**SMALL, optimizer=name, warmup=0, lr=0.5, weight_decay=0.2))
    for path, change in paths.flatten(update(0.0)).items():
        decayed = change.ndim == 2 and (name != "muon" or path.startswith("blocks"))
        np.testing.assert_allclose(change, -0.5 * 0.2 if decayed else 0, atol=1e-6, err_msg=path)


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", "llama"), ("lion", "gpt"), ("muon", "llama"), ("adafactor", "gpt")]
)
def test_every_optimizer_takes_a_finite_step_against_the_gradient(name, kind):
    update = prepared(RunConfig(**SMALL, model=kind, optimizer=name, warmup=0, lr=0.01, weight_decay=0.0))
    for path, change in paths.flatten(update(1.0)).items():
        assert jnp.isfinite(change).all(), path
        assert jnp.sum(change) < 0, path


def test_clip_bounds_the_gradient_norm_and_0_disables_it():
    def step(clip):
        """Return the largest first moment after one step of AdamW, which keeps the scale of the gradient."""
        config = RunConfig(**SMALL, clip=clip)
        model = jax.tree.map(lambda x: np.ones(x.shape, x.dtype), jax.eval_shape(lambda: config.init_model(5)))
        layout = make_layout(config, model, 2)
        optimizer, weights = make_optimizer(config, model, layout), layout.pack(model)
        state = jax.jit(optimizer.update)(weights, optimizer.init(weights), weights)[1]
        return max(float(jnp.max(x)) for x in jax.tree.leaves(state) if x.shape == weights[0].shape)

    norm = np.sqrt(paths.count(jax.eval_shape(lambda: RunConfig(**SMALL).init_model(5))))
    np.testing.assert_allclose([step(0.0), step(1.0)], [0.1, 0.1 / norm], rtol=1e-4)
