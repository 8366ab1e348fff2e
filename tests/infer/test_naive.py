import jax
import numpy as np
import pytest

from minitorch.infer import generate, generate_naive, stream, temperature, window_start

KEY = jax.random.key(3)
forward = jax.jit(lambda model, ids: model(ids))


def next_logits(model, text):
    """Return the logits (V,) of the token that follows `text`."""
    return forward(model, np.array([[*text, *[1] * (8 - len(text))]]))[0, len(text) - 1]


def test_greedy_text_is_the_argmax_of_the_text_so_far(model):
    text = [5, 2, 7]
    new = generate_naive(model, [text], 5, key=KEY, samplers=[temperature(0)])
    for token in new[0]:
        assert token == np.argmax(next_logits(model, text))
        text.append(int(token))
    assert new.dtype == np.int32
    assert len(set(text)) > 3


def test_each_token_is_a_sample_with_a_key_folded_from_its_index(model):
    text = [5, 2, 7]
    for i, token in enumerate(generate_naive(model, [text], 4, key=KEY)[0]):
        logits = next_logits(model, text)[None]
        assert token == jax.random.categorical(jax.random.fold_in(KEY, i), logits)[0]
        text.append(int(token))


def test_a_text_beyond_the_context_continues_from_the_window(model):
    text = np.arange(11) % 7
    new = generate_naive(model, [text], 6, key=KEY, samplers=[temperature(0)])
    for token in new[0]:
        seen = text[window_start(len(text), 8) :]
        assert token == np.argmax(next_logits(model, seen))
        text = np.append(text, token)


@pytest.mark.parametrize("context", [1, 2, 7, 8])
def test_the_window_fits_keeps_half_and_moves_by_halves(context):
    starts = [window_start(n, context) for n in range(1, 40)]
    assert starts[:context] == [0] * context
    for n, start in enumerate(starts, start=1):
        assert 1 <= n - start <= context
        assert start == 0 or n - start > context - max(1, context // 2)
    assert set(np.diff(starts)) <= {0, max(1, context // 2)}


def test_rows_that_stopped_are_filled_and_the_rest_continues(models):
    prompts, model = [[1, 2], [3, 4]], models["gpt"]
    free = generate_naive(model, prompts, 12, key=KEY)
    stop = int(free[0, 2])
    new = generate_naive(model, prompts, 12, key=KEY, stop=stop)
    first = 2 if stop not in free[0, :2] else list(free[0]).index(stop)
    np.testing.assert_array_equal(new[0, : first + 1], free[0, : first + 1])
    assert (new[0, first:] == stop).all()


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("ids", "tokens", "message"),
    [
        ([[1]], 0, "tokens must be a whole number, 1 or more, and is 0."),
        ([[1]], 2.0, "tokens must be a whole number, 1 or more, and is 2.0."),
        ([1, 2], 3, r"prompts are whole numbers \(B, T\), but got int64 of shape \(2,\): for one text, \[tokenizer"),
        ([[0.5]], 3, r"prompts are whole numbers \(B, T\), but got float64 of shape \(1, 1\)"),
        ([[1], [2, 3]], 3, "prompts have different lengths: generate from each separately"),
        (np.zeros((1, 0), int), 3, r"a prompt of shape \(1, 0\) has no token to start from: give at least one"),
        ([[1, 29]], 3, "prompt ids run from 1 to 29, but the model knows 0 to 28: encode with the tokenizer"),
        ([[-1, 3]], 3, "prompt ids run from -1 to 3"),
    ],
)
def test_impossible_requests_are_rejected_with_advice(models, ids, tokens, message):
    with pytest.raises(ValueError, match=message):
        generate_naive(models["gpt"], ids, tokens, key=KEY)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("run", [generate_naive, generate, stream])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(key=0), r"a random key is needed, such as jax.random.key\(0\), and not 0."),
        (dict(key=None), "a random key is needed, .* and not None"),
        (dict(stop=[1, 2]), r"stop must be a whole number, from 0 to 28, and is \[1, 2\]."),
        (dict(stop=29), "stop must be a whole number, from 0 to 28, and is 29."),
        (dict(stop=True), "stop must be .* and is True"),
        (dict(samplers=[0.8]), r"samplers must be a list of functions, such as \[temperature\(0.8\)\], and is \[0.8\]"),
    ],
)
def test_impossible_settings_are_rejected_before_anything_runs(models, run, wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run(models["gpt"], [[1]], 3, **{"key": KEY, **wrong})
