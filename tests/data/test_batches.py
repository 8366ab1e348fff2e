"""Batches are pure functions of (seed, step): bit-exact inside and outside jit, whole or sharded, now or resumed."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.data import (
    epochs,
    evaluation_windows,
    load_digits,
    sample_batch,
    sample_starts,
    step_key,
    token_array,
    windows,
)

TOKENS = token_array(np.random.default_rng(0).integers(0, 65, 500), 65)


def eager(seed, step, tokens):
    return sample_batch(step_key(seed, step), tokens, 8, 16)


compiled = jax.jit(eager)
draw = jax.jit(sample_batch, static_argnums=(2, 3))


def test_inputs_and_targets_are_windows_of_the_tokens_shifted_by_one():
    x, y = compiled(0, 0, TOKENS)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((8, 16), (8, 16), jnp.int32, jnp.int32)
    all_windows = {tuple(w) for w in np.lib.stride_tricks.sliding_window_view(np.asarray(TOKENS), 17).tolist()}
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        assert (*a, b[-1]) in all_windows
        assert a[1:] == b[:-1]


def test_the_same_seed_and_step_give_the_same_bits_inside_and_outside_jit():
    for step in (0, 1, 1000):
        inside, outside = compiled(7, step, TOKENS), eager(7, step, TOKENS)
        jax.tree.map(np.testing.assert_array_equal, inside, outside)


def test_a_scan_over_steps_samples_the_same_batches():
    x, y = jax.lax.scan(lambda s, _: (s + 1, eager(7, s, TOKENS)), 5, None, 3)[1]
    for i in range(3):
        jax.tree.map(np.testing.assert_array_equal, (x[i], y[i]), compiled(7, 5 + i, TOKENS))


def test_other_steps_and_other_seeds_give_other_batches():
    drawn = [np.asarray(compiled(seed, step, TOKENS)[0]).tobytes() for seed, step in [(0, 0), (0, 1), (1, 0)]]
    assert len(set(drawn)) == 3


def test_shards_of_the_starts_give_exactly_their_rows_of_the_global_batch():
    starts = sample_starts(step_key(0, 3), TOKENS, 8, 16)
    parts = [windows(TOKENS, shard, 16) for shard in (starts[:4], starts[4:])]
    for whole, *rows in zip(compiled(0, 3, TOKENS), *parts, strict=True):
        np.testing.assert_array_equal(whole, np.concatenate(rows))


def test_a_batch_sharded_over_every_device_is_the_same_batch():
    mesh = jax.make_mesh((len(jax.devices()),), ("data",))
    sharded = jax.jit(eager, out_shardings=jax.NamedSharding(mesh, jax.P("data")))
    jax.tree.map(np.testing.assert_array_equal, sharded(0, 3, TOKENS), compiled(0, 3, TOKENS))


def test_wide_index_types_do_not_change_the_sample():
    with jax.enable_x64(True):
        wide = compiled(7, 2, TOKENS)
    jax.tree.map(np.testing.assert_array_equal, wide, compiled(7, 2, TOKENS))
    assert wide[0].dtype == jnp.int32


def test_every_window_can_be_sampled_including_the_first_and_the_last():
    tokens = token_array(np.arange(8), 8)
    x, y = draw(step_key(0, 0), tokens, 200, 5)
    assert set(x[:, 0].tolist()) == {0, 1, 2}
    assert int(y.max()) == 7


def test_context_as_long_as_the_data_names_both_numbers():
    message = "context 8 needs at least 9 tokens, but the data has 8: choose a context of at most 7"
    with pytest.raises(ValueError, match=message):
        sample_batch(step_key(0, 0), token_array(range(8), 8), 2, 8)
    assert draw(step_key(0, 0), token_array(range(9), 9), 2, 8)[1][:, -1].tolist() == [8, 8]


def test_tokens_of_another_rank_are_rejected():
    with pytest.raises(ValueError, match=r"tokens have shape \(2, 3\): give one long sequence"):
        sample_batch(step_key(0, 0), jnp.zeros((2, 3), jnp.int32), 1, 1)


@pytest.mark.parametrize(("vocab", "dtype"), [(65, jnp.uint16), (65536, jnp.uint16), (65537, jnp.int32)])
def test_tokens_take_two_bytes_while_the_vocabulary_fits(vocab, dtype):
    tokens = token_array([0, vocab - 1], vocab)
    assert tokens.dtype == dtype
    assert tokens.tolist() == [0, vocab - 1]


@pytest.mark.parametrize("ids", [[0, 65], [-1, 3]])
def test_ids_outside_the_vocabulary_are_rejected(ids):
    with pytest.raises(ValueError, match=f"token ids run from {min(ids)} to {max(ids)}, but vocab_size is 65"):
        token_array(ids, 65)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 40), batch=st.integers(1, 4), context=st.integers(1, 7))
def test_evaluation_covers_every_target_once_and_in_order(n, batch, context):
    tokens = token_array(range(100, 100 + n), 200)
    x, y, mask = map(np.asarray, evaluation_windows(tokens, batch, context))
    assert x.shape == y.shape == mask.shape
    assert x.shape[1:] == (batch, context)
    assert y[mask].tolist() == list(range(101, 100 + n))
    assert x[mask].tolist() == list(range(100, 99 + n))
    assert mask.reshape(len(x), -1).any(axis=1).all()  # no batch of padding only


def test_evaluation_of_less_than_two_tokens_is_rejected():
    with pytest.raises(ValueError, match="at least 2 tokens, but the data has 1"):
        evaluation_windows(token_array([3], 5), 2, 4)


def test_an_epoch_shows_each_digit_at_most_once_and_the_next_in_another_order():
    images, labels = load_digits()
    index = np.arange(len(labels))
    seen = list(epochs((images, labels, index), 100, seed=0, count=2))
    assert len(seen) == 2 * 17
    first, second = (np.concatenate([rows for *_, rows in seen[i : i + 17]]) for i in (0, 17))
    assert len(set(first)) == len(set(second)) == 1700
    assert first.tolist() != second.tolist()
    for x, y, rows in seen[:3]:
        np.testing.assert_array_equal(x, images[rows])
        np.testing.assert_array_equal(y, labels[rows])


@pytest.mark.parametrize("start", [0, 2, 3, 4, 8])
def test_epochs_resume_at_any_step(start):
    run = lambda start: [rows.tolist() for (rows,) in epochs((np.arange(10),), 3, seed=1, count=3, start=start)]  # noqa: E731
    assert run(start) == run(0)[start:]


def test_epochs_depend_on_the_seed():
    runs = [list(itertools.chain(*(r for (r,) in epochs((np.arange(20),), 5, seed=s, count=1)))) for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("batch", [0, 11])
def test_a_batch_that_cannot_be_filled_is_rejected_at_once(batch):
    with pytest.raises(
        ValueError, match=f"batch {batch} cannot be filled from 10 rows: choose a batch between 1 and 10"
    ):
        epochs((np.arange(10),), batch, seed=0, count=1)


def test_arrays_of_unequal_length_are_rejected_at_once():
    with pytest.raises(ValueError, match=r"the arrays have \[10, 9\] rows"):
        epochs((np.arange(10), np.arange(9)), 2, seed=0, count=1)


@pytest.mark.parametrize("number", [np.int8, np.uint8, np.int64, np.asarray, jnp.int8])
def test_small_integers_of_numpy_and_jax_count_like_those_of_python(number):
    def use(number):
        tokens = token_array([number(i % 100) for i in range(300)], number(100))
        yield tokens
        yield from sample_batch(step_key(number(1), number(2)), tokens, number(3), number(100))
        yield from evaluation_windows(tokens, number(3), number(100))
        yield from next(epochs((np.arange(200),), number(100), seed=number(0), count=number(2), start=number(1)))

    for ours, expected in zip(use(number), use(int), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("bad", [True, 1.5, "3", 0, -1, None])
def test_a_batch_or_context_that_is_not_whole_and_positive_is_refused(bad):
    tokens = token_array(range(100), 100)
    for sample in (
        lambda *sizes: sample_batch(step_key(0, 0), tokens, *sizes),
        lambda *sizes: evaluation_windows(tokens, *sizes),
    ):
        for name, sizes in (("batch", (bad, 4)), ("context", (4, bad))):
            with pytest.raises(ValueError, match=f"^{name} must be a whole number, 1 or more, and is "):
                sample(*sizes)


@pytest.mark.parametrize("ids", [[1.7], [True, False], np.ones(2), ["1"], [None], jnp.ones(2)])
def test_token_ids_that_are_not_whole_numbers_are_refused(ids):
    with pytest.raises(TypeError, match="token ids are whole numbers, not"):
        token_array(ids, 100)
