import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import data, nn
from minitorch.models import GPTConfig
from minitorch.text import END_OF_TEXT, ByteTokenizer, CharTokenizer
from minitorch.train import Evaluation, evaluate, load_run, mean_loss


class Constant(nn.Module):
    """A model that returns the logits `favourite` (V,) at every position."""

    favourite: jax.Array
    config: GPTConfig = nn.static()

    def __call__(self, ids):
        return jnp.broadcast_to(self.favourite, (*ids.shape, self.favourite.size))


def uniform(vocab, context=4):
    return Constant(jnp.zeros(vocab), GPTConfig(vocab=vocab, context=context, layers=1, heads=1, width=1))


def test_a_uniform_model_has_loss_log_v_and_perplexity_v():
    text = "äbcäbc abc" * 3
    tokenizer = CharTokenizer.train(text)
    result = evaluate(uniform(5), tokenizer, text, batch=2)
    assert result.tokens == result.characters == 29
    assert result.bytes == 6 - 1 + 29
    np.testing.assert_allclose([result.loss, result.perplexity], [math.log(5), 5], rtol=1e-6)
    np.testing.assert_allclose(result.bits_per_character, math.log2(5), rtol=1e-6)
    np.testing.assert_allclose(result.bits_per_byte, math.log2(5) * 29 / 34, rtol=1e-6)


def test_bits_per_character_count_characters_not_tokens():
    result = evaluate(uniform(256), ByteTokenizer(), "ab€€", batch=1)
    assert (result.tokens, result.characters, result.bytes) == (7, 3, 7)
    np.testing.assert_allclose(result.bits_per_character, 8 * 7 / 3, rtol=1e-6)


def test_the_end_of_a_document_counts_as_the_blank_line_for_which_it_stands():
    corpus = data.Corpus("x", ("ab", "cd€", "e"))
    plain = evaluate(uniform(256), ByteTokenizer(), corpus, batch=1)
    ended = evaluate(uniform(257), ByteTokenizer([END_OF_TEXT]), corpus, batch=1)
    assert plain == evaluate(uniform(256), ByteTokenizer(), corpus.text, batch=1)
    assert (plain.characters, plain.bytes) == (ended.characters, ended.bytes) == (9, 11)
    assert (plain.tokens, ended.tokens) == (11, 9)


def test_every_token_except_the_first_counts_once_for_any_batch():
    ids = np.array([2, 0, 1, 1, 0, 2, 0, 0, 1, 0, 2])
    model = Constant(jnp.array([0.3, -0.2, 0.9]), uniform(3).config)
    expected = -np.mean(np.asarray(jax.nn.log_softmax(model.favourite))[ids[1:]])
    for batch in (1, 2, 3):
        np.testing.assert_allclose(mean_loss(model, data.token_array(ids, 3), batch), expected, rtol=1e-6)


def test_an_estimate_reads_whole_windows_spread_over_the_text():
    ids = np.repeat([0, 1, 2], [40, 40, 41])
    model = Constant(jnp.array([0.0, 1.0, 2.0]), uniform(3).config)
    tokens = data.token_array(ids, 3)
    first_and_last = -np.asarray(jax.nn.log_softmax(model.favourite))[[0, 2]].mean()
    np.testing.assert_allclose(mean_loss(model, tokens, 2, at_most=16), first_and_last, rtol=1e-6)
    assert mean_loss(model, tokens, 2, at_most=10**9) == mean_loss(model, tokens, 2)


def test_two_devices_compute_the_loss_of_one_without_a_deadlock():
    script = """
from minitorch.train import RunConfig, device_mesh, mean_loss, use_cpu_cores
assert use_cpu_cores(2) == 2
import jax, numpy as np
from minitorch import data
model = RunConfig(data="", layers=1, heads=1, width=8, context=8).init_model(5)
tokens = data.token_array(np.random.default_rng(0).integers(0, 5, 20_000), 5)
one, two = (mean_loss(model, tokens, 4, mesh=device_mesh(4, jax.devices()[:n])) for n in (1, 2))
np.testing.assert_allclose(one, two, rtol=1e-6)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


def test_a_huge_loss_has_a_finite_perplexity():
    assert Evaluation(1e4, 1, 1, 1).perplexity == math.exp(700)


def test_val_loss_of_a_run_is_the_loss_of_its_saved_weights(tiny, finished):
    result, _ = finished
    run = load_run(result.out)
    validation = data.split(data.load_text(tiny.data))[1].text
    assert evaluate(run.model, run.tokenizer, validation, tiny.batch).loss == pytest.approx(result.val_loss, rel=1e-6)


@pytest.mark.parametrize("favourite", [[0.0, np.nan, 0.0], [0.0, np.inf, 0.0], [-np.inf] * 3])
def test_a_loss_that_is_nan_names_the_first_layer_that_is_not_finite(favourite):
    model = Constant(jnp.array(favourite), uniform(3).config)
    with pytest.raises(FloatingPointError, match="NaN: the first layer whose output is not finite is the model itself"):
        mean_loss(model, data.token_array(np.arange(9) % 3, 3), 1)


def test_classes_that_are_excluded_are_evaluated_on_texts_without_them():
    model = Constant(jnp.array([0.0, -np.inf, 0.0]), uniform(3).config)
    np.testing.assert_allclose(mean_loss(model, data.token_array(np.arange(9) % 2 * 2, 3), 1), np.log(2), rtol=1e-6)
