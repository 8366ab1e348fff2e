import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.infer import greedy, min_p, sample, temperature, top_k, top_p
from minitorch.infer.sample import threshold

INF = float("inf")
# Whole numbers: ties are frequent, and sums of probabilities are never within rounding of a random `p`.
LOGITS = st.lists(st.integers(-4, 4), min_size=7, max_size=7).map(lambda row: np.array([row, row[::-1]], np.float32))
few = settings(max_examples=25, deadline=None)


apply = jax.jit(
    lambda sampler, logits: sampler(logits)
)  # A loop outside of a compiled program would be compiled for each call.


def kept(sampler, logits):
    """Which ids the sampler keeps, once it is certain that their logits are unchanged."""
    result = np.asarray(apply(sampler, jnp.asarray(logits, jnp.float32)))
    left = result > -INF
    np.testing.assert_array_equal(result[left], np.asarray(logits, np.float32)[left])
    return left


def probabilities(logits):
    e = np.exp(logits.astype(np.float64) - logits.max())
    return e / e.sum()


@few
@given(LOGITS, st.floats(0.05, 5))
def test_temperature_raises_probabilities_to_the_power_one_over_t(logits, t):
    ours = jax.nn.softmax(temperature(t)(jnp.asarray(logits)), axis=-1)
    for row, result in zip(logits, ours, strict=True):
        power = probabilities(row) ** (1 / t)
        np.testing.assert_allclose(result, power / power.sum(), rtol=2e-4, atol=1e-7)


@few
@given(LOGITS, st.integers(1, 10))
def test_top_k_keeps_the_k_most_probable_and_what_ties_with_the_last_of_them(logits, k):
    for row, left in zip(logits, kept(top_k(k), logits), strict=True):
        np.testing.assert_array_equal(left, row >= np.sort(row)[::-1][:k].min())


@few
@given(LOGITS, st.floats(0.01, 1))
def test_top_p_keeps_the_fewest_that_reach_p_and_what_ties_with_the_last_of_them(logits, p):
    for row, left in zip(logits, kept(top_p(p), logits), strict=True):
        together = np.cumsum(np.sort(probabilities(row))[::-1])
        last = min(np.searchsorted(together, p - 1e-12), 6)  # the index of the first sum that is p or more
        np.testing.assert_array_equal(left, row >= np.sort(row)[::-1][last])


@few
@given(LOGITS, st.floats(0, 1))
def test_min_p_keeps_what_is_p_times_as_probable_as_the_most_probable(logits, p):
    for row, left in zip(logits, kept(min_p(p), logits), strict=True):
        np.testing.assert_array_equal(left, probabilities(row) >= p * probabilities(row).max())


def by_sorting(logits, places):
    """The slow twin: `places` marks which of a row's sorted probabilities are kept; what ties with the last stays."""
    ordered = -np.sort(-logits, axis=-1)
    places = places(np.asarray(jax.nn.softmax(ordered, axis=-1)))
    return (logits >= np.where(places, ordered, INF).min(axis=-1, keepdims=True)) & (logits > -INF)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 20.0])
def test_bisection_keeps_what_sorting_keeps(sign, scale):
    # Many of 1,000 numbers rounded to 64ths tie; zeros of both signs are among them, and excluded tokens.
    logits = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    logits = np.where(np.arange(1000) % 10, sign * scale * np.round(logits * 64) / 64, -INF).astype(np.float32)
    for k in (1, 2, 40, 900):
        expected = by_sorting(logits, lambda p, k=k: jnp.broadcast_to(jnp.arange(1000) < k, p.shape))
        np.testing.assert_array_equal(kept(top_k(k), logits), expected)
    for share in (0.1, 0.5, 0.9, 0.99) if scale >= 1 else ():  # Equal probabilities add up to any border.
        expected = by_sorting(logits, lambda p, share=share: jnp.cumsum(p, axis=-1) - p < share)
        left = kept(top_p(share), logits)
        # Sums are rounded in another order, so one that ends at the share may take a token more or fewer.
        assert np.abs(left.sum(-1) - expected.sum(-1)).max() <= 1
        assert (left != expected).sum() <= 3


TIED = [[1.0, 3.0, 3.0, 0.0]]


STRICTEST = {
    "t=0": (temperature(0), {1}),
    "k=1": (top_k(1), {1, 2}),
    "p=0.01": (top_p(0.01), {1, 2}),
    "p=1e-300": (top_p(1e-300), {1, 2}),
    "min_p=1": (min_p(1), {1, 2}),
}


@pytest.mark.parametrize(("sampler", "tokens"), STRICTEST.values(), ids=STRICTEST)
def test_the_strictest_samplers_keep_what_ties_for_the_first_place_and_greedy_its_first(sampler, tokens):
    logits = jnp.asarray(TIED)
    assert {int(sample(jax.random.key(i), logits, [sampler])[0]) for i in range(20)} == tokens


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, (0.5, 1, 0.75)), (1, (0.5, 1, 0.75)), (2, (0.25, 0, 0.25)), (3, (0.25, 0, 1e-30)), (5, (-3e38, 0, -INF))],
)
def test_a_threshold_is_the_largest_that_is_enough_and_between_the_smallest_and_largest_number(count, expected):
    probs = jnp.asarray([[0.5, 0.25, 0.25, -3e38], [0.0, 0.0, 1.0, -0.0], [1e-30, 0.75, -INF, 0.25]])
    t = threshold(probs, lambda kept: kept.sum(axis=-1, keepdims=True) >= count)
    assert t.shape == (3, 1)
    np.testing.assert_allclose(t[:, 0], expected, rtol=1e-7, atol=2e-38)  # A processor may round subnormals to 0.


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_samplers_take_logits_of_any_precision(dtype):
    logits = jnp.asarray(TIED, dtype)
    for sampler in (temperature(0), temperature(0.5), top_k(2), top_p(0.5), min_p(0.5)):
        assert sampler(logits).dtype == dtype
    assert left_by([top_k(2)], logits) == {1, 2}
    assert left_by([top_p(0.4)], logits) == {1, 2}


@few
@given(st.lists(st.sampled_from([-INF, -1.0, 0.0, -0.0, 2.0]), min_size=1, max_size=8))
def test_greedy_is_argmax(row):
    token = greedy(jnp.asarray([[*row, -2.0]], jnp.float32))
    assert token.dtype == jnp.int32
    assert token[0] == np.argmax([*row, -2.0])


NOT_FINITE = {
    "nan": [0.0, np.nan, 1.0, 2.0],
    "nan first": [np.nan, -1.0, 1.0, -INF],
    "nan only": [np.nan] * 4,
    "+inf": [0.0, INF, -INF, 1.0],
    "nothing": [-INF] * 4,
}
EVERY = [temperature(0), temperature(0.5), temperature(1e39), top_k(1), top_k(2), top_k(9), top_p(0.5), top_p(1.0)]
EVERY = [*EVERY, min_p(0.5), min_p(0), min_p(1)]
CHOICES = {
    "greedy": greedy,
    "sample": lambda logits: sample(jax.random.key(0), logits),
    **{f"{s.warp.__name__} {s.number}": lambda logits, s=s: sample(jax.random.key(0), logits, [s]) for s in EVERY},
    "excluded": lambda logits: sample(jax.random.key(0), logits, [lambda x: jnp.where(jnp.isfinite(x), x, -INF)]),
}


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_no_token_is_chosen_from_logits_that_are_not_finite(choose):
    rows = jnp.asarray([*NOT_FINITE.values(), [-INF, -INF, 3.0, -INF]], jnp.float32)
    tokens = jax.jit(choose)(rows)
    np.testing.assert_array_equal(tokens, [-1, -1, -1, -1, -1, 2])
    with pytest.raises(FloatingPointError, match=r"logits with NaN or \+inf, or without a finite one"):
        choose(rows[2:])
    assert choose(rows[-1:]) == 2


def test_a_sampler_that_excludes_every_token_or_drops_an_axis_is_refused():
    logits = jnp.asarray(TIED)
    with pytest.raises(FloatingPointError, match="a sampler that excludes every token"):
        sample(jax.random.key(0), logits, [top_k(2), lambda x: jnp.where(x > 5, x, -INF)])
    with pytest.raises(ValueError, match=r"samplers\[1\] made \(1,\) of logits \(1, 4\)"):
        sample(jax.random.key(0), logits, [top_k(2), lambda x: x.argmax(axis=-1)])


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("samplers", [[0.8], temperature(0.8), 0.8, "greedy", [temperature(0.8), None]])
def test_samplers_are_a_list_of_functions(samplers):
    with pytest.raises(TypeError, match=r"samplers must be a list of functions, such as \[temperature\(0.8\)\]"):
        sample(jax.random.key(0), jnp.asarray(TIED), samplers)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_top_k_and_top_p_distinguish_logits_whose_probabilities_round_to_the_same(k):
    logits = np.array([[1e-9, 0.0, -200.0, -300.0, -INF]], np.float32)
    np.testing.assert_array_equal(kept(top_k(k), logits), [np.arange(5) < k])
    np.testing.assert_array_equal(kept(top_p(0.3), logits), [np.arange(5) < 1])


AFTER = {"nothing": [], "ours": [top_k(3), top_p(0.5), min_p(0.1), temperature(2), temperature(0)]}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
def test_greedy_tokens_are_samples_from_the_one_token_left(after):
    logits = jnp.asarray(np.random.default_rng(0).integers(0, 9, (20, 30)), jnp.float32)
    samplers, left = [min_p(0.01), temperature(0), *after], logits
    for sampler in samplers:
        left = sampler(left)
    drawn = jax.random.categorical(jax.random.key(0), left)
    np.testing.assert_array_equal(sample(jax.random.key(0), logits, samplers), drawn)


def test_a_custom_sampler_may_change_the_logits_that_greedy_left():
    shifted = sample(
        jax.random.key(0), jnp.asarray(TIED), [temperature(0), lambda logits: jnp.roll(logits, 1, axis=-1)]
    )
    assert shifted[0] == 2


def test_a_sample_is_that_of_jax_random_categorical():
    logits = jnp.asarray(np.random.default_rng(0).normal(size=(50, 30)), jnp.float32)
    for seed in range(3):
        key = jax.random.key(seed)
        np.testing.assert_array_equal(sample(key, logits), jax.random.categorical(key, logits))


@pytest.mark.parametrize("t", [1e-300, 1e-30, 1e-3])
def test_a_temperature_near_zero_shares_between_ties_and_makes_no_nan(t):
    np.testing.assert_array_equal(jax.nn.softmax(temperature(t)(jnp.asarray(TIED) * 1e5)), [[0, 0.5, 0.5, 0]])


def test_a_temperature_beyond_float32_makes_all_that_is_not_excluded_equally_probable():
    np.testing.assert_allclose(jax.nn.softmax(temperature(1e300)(jnp.asarray([[1.0, 5.0, -INF]]))), [[0.5, 0.5, 0]])


LOOSEST = {"t=1": temperature(1), "k=V": top_k(1000), "k>V": top_k(10**12), "p=1": top_p(1), "min_p=0": min_p(0)}


@pytest.mark.parametrize("sampler", LOOSEST.values(), ids=LOOSEST)
def test_the_loosest_samplers_change_no_probability(sampler):
    # The logits are so far apart that the rounded sum of probabilities reaches 1 long before the last.
    logits = jnp.asarray(np.random.default_rng(0).normal(0, 6, (1, 1000)))
    np.testing.assert_allclose(jax.nn.softmax(sampler(logits)), jax.nn.softmax(logits), rtol=1e-5)


def test_min_p_of_one_keeps_all_that_tie_for_the_first_place():
    np.testing.assert_array_equal(kept(min_p(1), TIED), [[False, True, True, False]])


@pytest.mark.parametrize("sampler", [temperature(0), temperature(0.5), top_k(3), top_p(0.5), min_p(0.5)])
@pytest.mark.parametrize("shape", [(7,), (2, 3, 7)])
def test_logits_of_any_rank_are_taken_row_by_row(sampler, shape):
    logits = jnp.asarray(np.random.default_rng(0).permutation(np.arange(42.0)).reshape(6, 7)[: np.prod(shape) // 7])
    rows = logits.astype(jnp.float32)
    np.testing.assert_array_equal(apply(sampler, rows.reshape(shape)), apply(sampler, rows).reshape(shape))
    np.testing.assert_array_equal(greedy(rows.reshape(shape)), np.argmax(rows, axis=-1).reshape(shape[:-1]))


def test_samplers_apply_in_order_to_the_logits_that_others_left():
    logits = jnp.log(jnp.asarray([[0.5, 0.3, 0.15, 0.05]]))
    hot = left_by([temperature(100), top_p(0.7)], logits)
    cold = left_by([temperature(0.1), top_p(0.7)], logits)
    assert (hot, cold) == ({0, 1, 2}, {0})
    assert left_by([top_k(3), top_p(0.8), min_p(0.1)], logits) == {0, 1}


def left_by(samplers, logits):
    for sampler in samplers:
        logits = sampler(logits)
    return set(np.flatnonzero(logits[0] > -INF).tolist())


def test_samples_are_as_frequent_as_the_probabilities_left():
    logits = jnp.log(jnp.asarray([0.4, 0.3, 0.2, 0.1]))
    tokens = sample(jax.random.key(0), jnp.broadcast_to(logits, (10_000, 4)), [temperature(0.5), top_k(3)])
    assert tokens.dtype == jnp.int32
    assert tokens.shape == (10_000,)
    expected = np.array([0.16, 0.09, 0.04, 0]) / 0.29
    frequency = np.bincount(tokens, minlength=4) / 10_000
    np.testing.assert_allclose(frequency, expected, atol=4 * np.sqrt(0.25 / 10_000))
    assert frequency[3] == 0


def test_another_number_does_not_recompile():
    compiled = []

    @jax.jit
    def step(logits, samplers):
        compiled.append(1)
        return sample(jax.random.key(0), logits, samplers)

    for t, k, p in ((0.5, 1, 0.1), (0.9, 3, 0.9)):
        step(jnp.zeros((1, 4)), [temperature(t), top_k(k), top_p(p), min_p(p)])
    assert len(compiled) == 1


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("make", "bad", "advice"),
    [
        (temperature, -0.5, "temperature must be 0 for greedy decoding, or more, such as 0.8, and is -0.5."),
        (temperature, INF, "temperature must be .* and is inf"),
        (temperature, float("nan"), "temperature must be .* and is nan"),
        (temperature, "0.8", "temperature must be .* and is '0.8'"),
        (top_k, 0, "top_k must be a whole number, 1 or more, and is 0."),
        (top_k, np.int64(0), "top_k must be a whole number, 1 or more, and is 0."),
        (top_k, 2.5, "top_k must be .* and is 2.5"),
        (top_k, True, "top_k must be .* and is True"),
        (top_p, 0, r"top_p must be above 0 and up to 1, such as 0.95, and is 0."),
        (top_p, 1.01, "top_p must be .* and is 1.01"),
        (top_p, float("nan"), "top_p must be .* and is nan"),
        (min_p, -0.1, "min_p must be from 0 to 1, such as 0.05, and is -0.1."),
        (min_p, 2, "min_p must be .* and is 2"),
    ],
)
def test_impossible_numbers_are_rejected_with_advice(make, bad, advice):
    with pytest.raises(ValueError, match=advice):
        make(bad)
