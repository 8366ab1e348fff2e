import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.models import GPT, GPTConfig
from minitorch.nn import cross_entropy, paths

KEY = jax.random.key(0)
SMALL = dict(vocab=11, context=6, layers=2, heads=2, width=8)
IDS = np.random.default_rng(1).integers(0, 11, size=(2, 6))


def twin(model, ids):
    """An independent GPT-2, from the paper and without our code: weights by path, two heads of width 4."""
    w = paths.flatten(model)

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * w[f"{name}.scale"] + w.get(f"{name}.bias", 0)

    def linear(x, name):
        return x @ w[f"{name}.weight"] + w.get(f"{name}.bias", 0)

    x = w["token.weight"][ids] + w["position.weight"][: ids.shape[1]]
    for i in range(2):
        block = f"blocks.{i}"
        q, k, v = jnp.split(linear(norm(x, f"{block}.attention_norm"), f"{block}.attention.qkv"), 3, axis=-1)
        heads = []
        for h in (slice(0, 4), slice(4, 8)):
            scores = q[..., h] @ k[..., h].mT / 2
            visible = jnp.tril(jnp.ones(scores.shape[-2:], bool))
            heads.append(jax.nn.softmax(jnp.where(visible, scores, -jnp.inf)) @ v[..., h])
        x = x + linear(jnp.concatenate(heads, axis=-1), f"{block}.attention.out")
        hidden = jax.nn.gelu(linear(norm(x, f"{block}.mlp_norm"), f"{block}.mlp.up"), approximate=True)
        x = x + linear(hidden, f"{block}.mlp.down")
    return norm(x, "norm") @ w["token.weight"].T


@pytest.mark.parametrize("bias", [True, False])
def test_logits_and_gradients_equal_those_of_an_independent_twin(bias, filled, assert_same):
    model = filled(lambda: GPT.init(KEY, GPTConfig(**SMALL, bias=bias)))
    assert_same(lambda model, ids: model(ids), twin, model, IDS, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("preset", "published"),
    [
        ("tiny", 935_040),
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_parameter_counts_equal_the_published(preset, published):
    """The counts of OpenAI's GPT-2, and of `tiny`, which the documentation gives as about a million."""
    assert paths.count(jax.eval_shape(lambda: GPT.init(KEY, GPTConfig.preset(preset)))) == published


def test_initial_weights_are_those_of_gpt2():
    model = jax.jit(GPT.init, static_argnums=1)(KEY, GPTConfig.preset("tiny"))
    deviation = {path: np.std(x) for path, x in paths.flatten(model).items()}
    for name, expected in [
        ("token.weight", 0.02),
        ("position.weight", 0.02),
        ("blocks.3.attention.qkv.weight", 0.02),
        ("blocks.3.mlp.up.weight", 0.02),
        ("blocks.3.attention.out.weight", 0.02 / np.sqrt(8)),
        ("blocks.3.mlp.down.weight", 0.02 / np.sqrt(8)),
    ]:
        assert abs(deviation[name] / expected - 1) < 0.03, name
    loss = jax.jit(lambda model, ids: cross_entropy(model(ids), 1023 - ids))(model, IDS)
    np.testing.assert_allclose(loss, np.log(1024), rtol=0.05)


def test_more_layers_do_not_change_the_initial_weights_of_the_others():
    build = jax.jit(GPT.init, static_argnums=1)
    few, many = (paths.flatten(build(KEY, GPTConfig(**{**SMALL, "layers": n}))) for n in (1, 2))
    for path in few:
        shrunk = (
            np.sqrt(2) if path.endswith(("out.weight", "down.weight")) else 1
        )  # more parts add to the stream, so each is smaller
        np.testing.assert_allclose(few[path], many[path] * shrunk, rtol=1e-6)
    assert not np.allclose(many["blocks.0.mlp.up.weight"], many["blocks.1.mlp.up.weight"])


def test_printing_names_the_model_and_its_parts():
    drawn = repr(jax.eval_shape(lambda: GPT.init(KEY, GPTConfig(**SMALL, bias=True))))
    assert drawn.startswith("GPT(config=GPTConfig(vocab=11, context=6,")
    assert "  blocks: list of 2: 1,744 parameters\n    0-1: Block: 872 parameters\n      attention_norm: " in drawn
