"""Models with code of one's own: trained, saved, and loaded again with `load_run(folder, like=model)`."""

import dataclasses
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from minitorch import nn, ops
from minitorch.models import Decoder, LanguageModel, protocol
from minitorch.nn import paths, static
from minitorch.train import evaluate, language_modelling, load_run, next_token_task, train
from minitorch.train.prepare import prepare

pytestmark = pytest.mark.slow
HINT = r"load_run cannot create it again .* load it with train\.load_run\(.*, like=model\)"


class Scaled(nn.Module):
    """A layer of one's own, in place of the feed-forward layer."""

    weight: object
    power: int = static(default=1)

    def __call__(self, x):
        return x * self.weight**self.power


class Sizes(SimpleNamespace):
    """Settings that JSON does not describe."""

    def __hash__(self):
        return hash(tuple(vars(self).items()))


class Bigram(nn.Module):
    """A model that shares nothing with the package but the protocol."""

    table: object
    config: Sizes = static()

    def __call__(self, ids):
        return ops.take(self.table, ids, 0)


def with_own_layer(model, power=1):
    return paths.replace(model, {"blocks.0.mlp": Scaled(jax.numpy.ones(16), power)})


def own_layer_task(config, out):
    task = language_modelling(config, out)
    return next_token_task(config, task.prepared, with_own_layer(task.start))


def bigram_task(config, out):
    prepared = prepare(config, out)
    vocab = prepared.tokenizer.vocab_size
    return next_token_task(config, prepared, bigram(vocab, config.context))


def bigram(vocab, context):
    return Bigram(jax.numpy.zeros((vocab, vocab)), Sizes(vocab=vocab, context=context))


@pytest.fixture(scope="module", params=["layer", "model"])
def own_run(request, tiny, tmp_path_factory):
    """Train each kind, which warns before the first step; return the folder and a model of the same structure."""
    out = tmp_path_factory.mktemp(request.param) / "run"

    class NoStepYet(list):
        def log(self, step, values):
            self.append(step)

    steps = NoStepYet()
    with pytest.warns(UserWarning, match=HINT) as warned:
        train(
            dataclasses.replace(tiny, steps=4),
            out,
            task=own_layer_task if request.param == "layer" else bigram_task,
            sinks=[steps],
        )
    assert len(warned) == 1
    like = with_own_layer(tiny.init_model(12)) if request.param == "layer" else bigram(12, tiny.context)
    return out, like


@pytest.fixture(scope="module")
def own_layer_run(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "run"
    with pytest.warns(UserWarning, match=HINT):
        train(dataclasses.replace(tiny, steps=1), out, task=own_layer_task)
    return out


def test_a_model_of_ones_own_is_loaded_like_a_model_that_is_given(own_run):
    out, like = own_run
    with pytest.raises(ValueError, match=r"load_run\(folder, like=model\)|these weights do not fit"):
        load_run(out)
    for given in (like, jax.eval_shape(lambda: like)):
        loaded = load_run(out, like=given)
        assert jax.tree.structure(loaded.model) == jax.tree.structure(like)
        stored = paths.load_safetensors(out / "model.safetensors")
        assert stored.keys() == paths.flatten(loaded.model).keys()
        for path, array in paths.flatten(loaded.model).items():
            np.testing.assert_array_equal(array, stored[path])
    assert evaluate(loaded.model, loaded.tokenizer, "abcd efgh " * 9, 2).loss > 0


def test_an_unfinished_run_is_loaded_like_a_model_too(own_run, tmp_path):
    import shutil

    from minitorch.train import read_record
    from minitorch.train.record import write_record

    out, like = own_run
    folder = shutil.copytree(out, tmp_path / "run")
    (folder / "model.safetensors").unlink()
    write_record(folder, read_record(folder)._replace(files={}))
    loaded = load_run(folder, like=like)
    assert loaded.step == 4
    for path, array in paths.load_safetensors(out / "model.safetensors").items():
        np.testing.assert_array_equal(paths.flatten(loaded.model)[path], array)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda m: with_own_layer(m, power=2), r"at blocks\.0\.mlp\.settings\.power it has 2, and the run has 1"),
        (lambda m: m, r"at blocks\.0\.mlp"),
        (lambda m: with_own_layer(dataclasses.replace(m, config=dataclasses.replace(m.config, heads=4))), "heads"),
        (lambda m: with_own_layer(dataclasses.replace(m, token=nn.Embedding(m.token.weight[:5]))), "shape"),
    ],
)
def test_another_model_is_refused_even_if_its_weights_would_fit(tiny, own_layer_run, change, place):
    with pytest.raises(ValueError, match=rf"`like` is not the model of the run .*{place}"):
        load_run(own_layer_run, like=change(tiny.init_model(12)))


def test_a_run_of_the_package_takes_like_too_and_refuses_another(finished, tiny):
    like = tiny.init_model(12)
    loaded = load_run(finished[0].out, like=like)
    assert jax.tree.structure(loaded.model) == jax.tree.structure(like)
    other = dataclasses.replace(tiny, heads=4).init_model(12)
    with pytest.raises(ValueError, match=r"`like` is not the model of the run .* it has 4, and the run has 2"):
        load_run(finished[0].out, like=other)


@pytest.mark.parametrize("lacking", ["config", "vocab", "__call__"])
def test_what_is_not_a_language_model_is_refused_before_the_run_starts(tiny, tmp_path, lacking):
    def task(config, out):
        made = language_modelling(config, out)
        model = bigram(12, config.context)
        if lacking == "config":
            model = {"table": model.table}
        elif lacking == "vocab":
            model = Bigram(model.table, Sizes(context=16))
        else:
            model = paths.replace(made.start, {})
            model = type("NoCall", (nn.Module,), {"__annotations__": {"x": object, "config": object}})(
                model.token.weight, model.config
            )
        return dataclasses.replace(made, start=model)

    with pytest.raises(TypeError, match=rf"is not a language model: it has no .*{lacking}.*models\.LanguageModel"):
        train(tiny, tmp_path / "run", task=task)
    assert not (tmp_path / "run").exists()


def test_the_models_of_the_package_follow_the_protocols(gpt, llama):
    for model in (gpt, llama):
        assert isinstance(model, LanguageModel)
        assert isinstance(model, Decoder)
        protocol.check_language_model(model, "decode", "init_cache")
    simple = bigram(3, 4)
    assert isinstance(simple, LanguageModel)
    assert not isinstance(simple, Decoder)
    with pytest.raises(TypeError, match=r"Bigram is not a language model: it has no decode, init_cache\."):
        protocol.check_language_model(simple, "decode", "init_cache")
