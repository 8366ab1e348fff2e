import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import infer, nn, train
from minitorch.compress.packed import PackedMatrix
from minitorch.compress.quantize import INT4, INT8, RECIPES, QuantRecipe, quantize, select_layers, weight_rows
from minitorch.compress.scheme import Scheme, quantize_unchecked
from minitorch.models import Llama, LlamaConfig
from minitorch.nn import Linear, paths
from minitorch.train.run_dir import save_run

pytestmark = pytest.mark.slow

IDS = jnp.arange(12).reshape(1, 12) % 11
forward = jax.jit(lambda model, ids: model(ids))


@pytest.fixture(scope="module")
def llama():
    config = LlamaConfig(vocab=64, context=16, layers=1, heads=2, width=64, feedforward=128, tied=True)
    like = jax.eval_shape(lambda: Llama.init(jax.random.key(0), config))
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda x: jnp.asarray(rng.normal(0, 0.3, x.shape), jnp.float32), like)


@pytest.mark.parametrize(("name", "near"), [("int8", 0.02), ("int8-dynamic", 0.1), ("int4", 0.4), ("nf4", 0.4)])
def test_a_quantized_model_has_the_same_call_and_nearly_the_same_logits(llama, name, near):
    small, before = quantize(llama, RECIPES[name]), forward(llama, IDS)
    after = forward(small, IDS)
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    assert 0 < np.square(after - before).mean() < near * np.var(before)


def test_quantized_bfloat16_weights_give_nearly_the_same_logits(llama):
    half = nn.cast(llama, jnp.bfloat16)
    before, after = forward(half, IDS), forward(quantize(half, RECIPES["int8"]), IDS)
    assert after.dtype == before.dtype
    assert 0 < np.square(after - before).mean() < 0.02 * np.var(before)


def test_quantized_models_need_few_bytes_in_memory():
    """Use the 110-million model with shapes in place of arrays."""
    config = LlamaConfig(**LlamaConfig.PRESETS["110m"])
    like = jax.eval_shape(lambda: Llama.init(jax.random.key(0), config))
    whole = sum(leaf.size * 4 for leaf in jax.tree.leaves(like))
    for name, share in (("int8", 0.28), ("int4", 0.16), ("nf4", 0.16)):
        selected = select_layers(like, RECIPES[name])
        small = jax.eval_shape(
            lambda like, selected=selected: {
                path: PackedMatrix.pack(
                    quantize_unchecked(weight_rows(paths.find(like, path, type(layer))[path]), s), s
                )
                for path, (layer, s) in selected.items()
            },
            like,
        )
        bytes_small = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(small))
        norms = sum(x.size * 4 for x in jax.tree.leaves(like) if len(x.shape) == 1)
        assert bytes_small + norms <= share * whole


@pytest.fixture(scope="module")
def run_folder(tiny, tmp_path_factory):
    """The folder of a finished run."""
    settings = dict(width=64, layers=1, context=8, steps=1, eval_every=1, checkpoint_every=1)
    config = train.RunConfig(**{**vars(tiny), **settings, "tokenizer": "byte", "model": "llama"})
    folder = tmp_path_factory.mktemp("runs") / "run"
    train.train(config, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "share"), [("int8", 0.28), ("int4", 0.19)]
)  # A third of its weights are embeddings, which keep 8 bits.
def test_a_quantized_run_is_small_on_disk_and_loads_and_generates_the_same(run_folder, tmp_path, name, share):
    run = train.load_run(run_folder)
    small = quantize(run.model, RECIPES[name])
    save_run(tmp_path / "small", run_folder, small, run.tokenizer, origin=name)
    size = (tmp_path / "small" / "model.safetensors").stat().st_size
    assert size <= share * (run_folder / "model.safetensors").stat().st_size
    again = train.load_run(tmp_path / "small").model
    assert jax.tree.structure(again) == jax.tree.structure(small)
    jax.tree.map(np.testing.assert_array_equal, again, small)
    settings = dict(key=jax.random.key(0), samplers=[infer.temperature(0)])
    np.testing.assert_array_equal(
        infer.generate(again, IDS[:, :4], 8, **settings), infer.generate_naive(small, IDS[:, :4], 8, **settings)
    )
    assert np.isfinite(train.evaluate(again, run.tokenizer, "some words to read", 2).loss)


def test_the_first_pattern_decides_and_none_leaves_a_layer_alone(llama):
    small = quantize(llama, QuantRecipe({"*.attention.*": None, "token": INT8, "*": Scheme(bits=4, group=32)}))
    assert isinstance(small.blocks[0].attention.qkv, Linear)
    assert small.token.packed.scheme.bits == 8
    assert small.blocks[0].mlp.down.packed.scheme.group == 32


def test_biases_stay(gpt):
    small = quantize(gpt, RECIPES["int8"])
    np.testing.assert_array_equal(small.blocks[0].mlp.up.bias, gpt.blocks[0].mlp.up.bias)


def test_progress_is_reported(llama):
    progress = []
    quantize(llama, RECIPES["int8"], on_layer=lambda *done: progress.append(done))
    assert progress == [(i, 5) for i in range(1, 6)]


def test_a_quantized_model_is_not_quantized_again(llama):
    small = quantize(llama, QuantRecipe({"*.down": INT4}))
    with pytest.raises(ValueError, match=r"quantized already \(at blocks.0.mlp.down\)"):
        quantize(small, RECIPES["int8"])


def test_a_recipe_that_selects_no_layer_raises(llama):
    with pytest.raises(
        ValueError, match=r"none of the patterns blocks\.7\.\* gives a scheme .* blocks.0.attention.qkv"
    ):
        quantize(llama, QuantRecipe({"blocks.7.*": INT8}))


def test_errors_name_the_layer(llama, gpt):
    path = "blocks.0.mlp.down.weight"
    broken = paths.replace(llama, {path: paths.flatten(llama)[path].at[0, 0].set(jnp.nan)})
    with pytest.raises(ValueError, match=r"cannot quantize blocks.0.mlp.down: 1 of 8192 numbers are NaN"):
        quantize(broken, RECIPES["int8"])
    with pytest.raises(ValueError, match=r"cannot quantize blocks.0.attention.qkv: groups of 64 do not divide .* 8"):
        quantize(gpt, RECIPES["int4"])


def test_wrong_inputs_raise_as_in_the_layers_before_quantization(llama):
    small = quantize(llama, RECIPES["int8"])
    with pytest.raises(ValueError, match=r"QuantizedLinear\(128 -> 64\) was given x of shape \(1, 5\)"):
        small.blocks[0].mlp.down(jnp.ones((1, 5)))
    with pytest.raises(TypeError, match="QuantizedEmbedding looks up integers"):
        small.token(jnp.ones(3))
