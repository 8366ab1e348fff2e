import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.infer import generate, generate_naive, min_p, stream, temperature, top_k, top_p
from minitorch.infer.generate import TOKENS_PER_DISPATCH, bucket_length, prefill
from minitorch.infer.naive import pad_to
from minitorch.models import Llama, LlamaConfig
from minitorch.nn import paths

pytestmark = pytest.mark.slow

KEY = jax.random.key(3)
PROMPTS = [[5, 2, 7], [1, 1, 20]]
GREEDY = [temperature(0)]
SAMPLED = [temperature(0.9), top_k(20), top_p(0.9), min_p(0.01)]
forward = jax.jit(lambda model, ids: model(ids))
decode = jax.jit(lambda model, ids, cache: model.decode(ids, cache))


@pytest.mark.parametrize("samplers", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("length", [1, 3, 8, 11])
def test_the_cache_changes_nothing_within_and_beyond_the_context(model, samplers, length):
    prompts = np.arange(2 * length).reshape(2, length) % 29
    new = generate(model, prompts, 30, key=KEY, samplers=samplers)
    np.testing.assert_array_equal(new, generate_naive(model, prompts, 30, key=KEY, samplers=samplers))
    assert new.shape == (2, 30)
    assert new.dtype == np.int32


def test_logits_from_the_cache_are_those_of_the_whole_text(model):
    whole = np.arange(16, dtype=np.int32).reshape(2, 8)
    logits = forward(model, whole)
    for length in (1, 5, 8):
        text = whole[:, :length]
        cache = prefill(model, pad_to(text, 8), length)
        last, cache = decode(model, text[:, -1:], cache)
        np.testing.assert_allclose(last[:, 0], logits[:, length - 1], rtol=1e-4, atol=1e-4)
        assert {int(layer.position) for layer in cache} == {length}


def test_the_seed_decides(models):
    one, again, other = (
        generate(models["llama"], PROMPTS, 12, key=jax.random.key(seed), samplers=SAMPLED) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_pieces_join_to_the_whole_and_a_longer_text_begins_with_the_shorter(models):
    pieces = list(stream(models["gpt"], PROMPTS, 41, key=KEY, samplers=SAMPLED))
    assert pieces[0].shape == (2, 1)
    assert max(p.shape[1] for p in pieces) <= TOKENS_PER_DISPATCH
    whole = np.concatenate(pieces, axis=1)
    np.testing.assert_array_equal(whole, generate(models["gpt"], PROMPTS, 41, key=KEY, samplers=SAMPLED))
    np.testing.assert_array_equal(whole[:, :20], generate(models["gpt"], PROMPTS, 20, key=KEY, samplers=SAMPLED))


@pytest.mark.parametrize("place", [0, 4, 20])
def test_stopping_is_the_same_with_a_cache(model, place):
    free = generate_naive(model, PROMPTS, 30, key=KEY, samplers=SAMPLED)
    stop = int(free[1, place])
    new = generate(model, PROMPTS, 30, key=KEY, samplers=SAMPLED, stop=stop)
    np.testing.assert_array_equal(new, generate_naive(model, PROMPTS, 30, key=KEY, samplers=SAMPLED, stop=stop))
    first = list(free[1]).index(stop)
    np.testing.assert_array_equal(new[1, : first + 1], free[1, : first + 1])
    assert (new[1, first:] == stop).all()


def test_the_result_ends_when_all_rows_have_stopped_but_not_by_the_prompt(models):
    twins = [PROMPTS[0]] * 2  # They end with 7.
    free = generate(models["llama"], twins, 3, key=KEY, samplers=GREEDY)
    stop = int(free[0, 2])
    assert stop not in free[:, :2]
    assert 7 not in free
    for last, tokens in ((stop, 30), (7, 3)):
        new = generate(models["llama"], twins, tokens, key=KEY, samplers=GREEDY, stop=last)
        np.testing.assert_array_equal(new, free)


def test_any_function_of_logits_is_a_sampler(models):
    def never_even(logits):
        return jnp.where(jnp.arange(29) % 2, logits, -jnp.inf)

    new = generate(models["gpt"], PROMPTS, 10, key=KEY, samplers=[never_even])
    assert (new % 2 == 1).all()
    np.testing.assert_array_equal(new, generate_naive(models["gpt"], PROMPTS, 10, key=KEY, samplers=[never_even]))


def test_bfloat16_weights_generate(untrained):
    half = untrained(Llama, LlamaConfig(vocab=29, context=8, layers=1, heads=1, width=4), "bfloat16")
    new = generate(half, PROMPTS, 20, key=KEY)
    assert new.shape == (2, 20)
    assert 0 <= new.min() <= new.max() < 29


def test_a_few_programs_serve_prompts_of_all_lengths():
    lengths = [bucket_length(n, 100) for n in range(1, 101)]
    assert all(n <= length <= 100 for n, length in enumerate(lengths, start=1))
    assert set(lengths) == {16, 32, 64, 100}
    assert bucket_length(3, 8) == 8


def test_requests_are_checked_before_the_first_piece_is_consumed(models):
    with pytest.raises(ValueError, match="tokens must be a whole number, 1 or more, and is 0"):
        stream(models["gpt"], PROMPTS, 0, key=KEY)


@pytest.mark.parametrize("run", [generate, generate_naive])
@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("token.weight", "token"),
        ("blocks.0.attention.out.weight", "blocks.0.attention.out"),
        ("blocks.1.mlp.gate_up.weight", "blocks.1.mlp.gate_up"),
        ("head.weight", "head"),
    ],
)
def test_a_model_that_is_not_finite_generates_nothing_and_its_first_bad_layer_is_named(models, run, path, layer):
    weight = paths.flatten(models["llama"])[path]
    broken = paths.replace(models["llama"], {path: weight.at[2].set(jnp.inf)})
    message = f"can follow token 3 of row 0, .* the first layer whose output is not finite is {layer}. Take an earlier"
    with pytest.raises(FloatingPointError, match=message):
        run(broken, [[5, 2, 7], [2, 2, 20]], 20, key=KEY, samplers=SAMPLED)


def test_a_model_that_overflows_later_fails_at_that_token_with_a_cache_or_without(models):
    """Token 17 has a vector that overflows: rows fail after it, and those that stopped before do not."""
    weight = models["llama"].token.weight
    broken = paths.replace(models["llama"], {"token.weight": weight.at[17].set(jnp.nan)})

    def after(limit):
        return [lambda logits: jnp.where(jnp.arange(29) == limit, jnp.zeros_like(logits), -jnp.inf)]

    for run in (generate, generate_naive):
        with pytest.raises(FloatingPointError, match=r"token 4 of row 0, .* not finite is token"):
            run(broken, PROMPTS, 20, key=KEY, samplers=after(17))
        np.testing.assert_array_equal(run(broken, PROMPTS, 20, key=KEY, samplers=after(17), stop=17), [[17], [17]])


@pytest.mark.parametrize("run", [generate, generate_naive])
def test_a_sampler_that_excludes_every_token_is_named(models, run):
    with pytest.raises(FloatingPointError, match=r"samplers\[1\] leaves no token with a finite logit"):
        run(models["gpt"], PROMPTS, 20, key=KEY, samplers=[top_k(3), lambda x: jnp.full_like(x, -jnp.inf)])
