import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import nn, ops
from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig
from minitorch.nn import paths
from minitorch.train import NonFiniteLossError, RunConfig
from minitorch.train.nan_debug import first_nonfinite_layer

SIZES = dict(vocab=5, context=4, layers=1, heads=2, width=8)
IDS = jnp.array([[0, 1, 2, 3], [3, 2, 1, 4]])


def loss(model, inputs, targets):
    return nn.cross_entropy(nn.cast(model, jnp.bfloat16)(inputs), targets)


def some_weights(kind, config):
    """Return a model with random weights, faster than `init` does."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(lambda: kind.init(jax.random.key(0), config))
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape), x.dtype), shapes)


@pytest.mark.parametrize(
    ("parameter", "layer"),
    [
        ("blocks.0.attention_norm.scale", "blocks.0.attention_norm"),
        ("blocks.0.mlp.up.weight", "blocks.0.mlp.up"),
    ],
)
def test_the_first_layer_whose_output_overflows_is_named(parameter, layer):
    gpt = some_weights(GPT, GPTConfig(**SIZES))
    model = paths.replace(gpt, {parameter: jnp.full_like(paths.find(gpt, parameter)[parameter], 3e38)})
    assert first_nonfinite_layer(loss, model, IDS, IDS).endswith(f"not finite is {layer}")


def test_a_single_nan_is_found_in_llama_too():
    llama, path = some_weights(Llama, LlamaConfig(**SIZES)), "blocks.0.mlp.gate_up.weight"
    weight = paths.find(llama, path)[path].at[0, 0].set(jnp.nan)
    assert first_nonfinite_layer(loss, paths.replace(llama, {path: weight}), IDS, IDS).endswith(
        "is blocks.0.mlp.gate_up"
    )


class Two(nn.Module):
    a: jax.Array
    b: jax.Array


def test_a_nonfinite_gradient_of_a_finite_loss_is_named():
    model = Two(jnp.ones(2), jnp.zeros(2))
    cause = first_nonfinite_layer(lambda m: ops.sum(m.a) + ops.sqrt(ops.sum(m.b)), model)
    assert cause == "the loss is finite, but the gradient of b is not"


def test_a_nonfinite_loss_of_finite_layers_and_an_overflowing_norm_have_different_messages():
    model = Two(jnp.full(2, 1e30), jnp.ones(2))
    assert "the output of every layer is finite, but the loss is not" in first_nonfinite_layer(
        lambda m: ops.sum(m.a * m.a), model
    )
    cause = first_nonfinite_layer(lambda m: ops.sum(m.a) + 1e30 * ops.sum(m.b), Two(jnp.ones(2), jnp.ones(2)))
    assert cause == "the norm of the gradient overflows float32, and b has the largest gradient"


def test_the_error_names_the_step_the_layer_and_only_advice_that_can_help():
    config = RunConfig(data="x", lr=3.0, steps=1000, clip=0.0, dtype="bfloat16")
    message = str(NonFiniteLossError(12, float("nan"), "the first layer is blocks.0", config))
    assert message.startswith(
        "step 12 has a loss or gradient that is not finite (loss nan): the first layer is blocks.0."
    )
    for advice in ("a lower learning rate (lr, now 3)", "(warmup, now 100)", "clipping (clip 1.0)", "or dtype float32"):
        assert advice in message
    message = str(NonFiniteLossError(1, float("inf"), "x", RunConfig(data="x")))
    assert "clipping" not in message
    assert "dtype" not in message


def test_an_output_that_overflows_outside_of_the_layers_is_the_models_own():
    class Shifted(nn.Module):
        linear: nn.Linear

        def __call__(self, x):
            return self.linear(x) * 3e38

    model = Shifted(nn.Linear(jnp.full((2, 2), 2.0)))
    cause = first_nonfinite_layer(lambda m, x: ops.sum(m(x)), model, jnp.ones((1, 2)))
    assert cause == "the first layer whose output is not finite is the model itself"
