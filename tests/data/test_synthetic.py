"""Each task has the answers of its definition, and is the same for the same seed."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.data import copying, modular_addition, moons, reversing, spirals, xor


@pytest.mark.parametrize("task", [xor, moons, spirals])
def test_points_are_pure_functions_of_the_seed(task):
    x, labels = task(60)
    assert x.shape == (60, 2)
    assert (x.dtype, labels.dtype, labels.shape) == (np.float32, np.int32, (60,))
    np.testing.assert_array_equal(x, task(60)[0])
    assert not np.array_equal(x, task(60, seed=1)[0])


def best_line(x, labels):
    """Return the accuracy of the least-squares line, a measure of what a linear model can do."""
    inputs = np.column_stack([x, np.ones(len(x))])
    weights = np.linalg.lstsq(inputs, 2.0 * np.asarray(labels) - 1, rcond=None)[0]
    return np.mean((inputs @ weights > 0) == np.asarray(labels))


def test_xor_is_the_sign_of_a_product_and_no_line_finds_it():
    x, labels = xor(1000)
    np.testing.assert_array_equal(labels, x[:, 0] * x[:, 1] < 0)
    assert np.abs(x).max() <= 1
    assert best_line(x, labels) < 0.62


def test_moons_without_noise_are_on_their_circles():
    x, labels = moons(200, noise=0.0)
    upper, lower = x[labels == 0], x[labels == 1]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(lower - [1.0, 0.5], axis=1), 1, rtol=1e-5)
    assert upper[:, 1].min() >= -1e-6
    assert lower[:, 1].max() <= 0.5 + 1e-6
    assert 0.75 < best_line(x, labels) < 1


def test_spirals_turn_once_and_labels_are_the_arms():
    x, labels = spirals(300, arms=3, noise=0.0)
    radius = np.linalg.norm(x, axis=1)
    turn = np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi)
    arm = 3 * (turn - radius)
    away = np.abs((arm - labels + 1.5) % 3 - 1.5)
    assert away[radius > 0.01].max() < 1e-2
    assert np.bincount(labels).tolist() == [100, 100, 100]


@pytest.mark.parametrize(("task", "step"), [(copying, 1), (reversing, -1)])
def test_the_masked_half_of_a_sequence_is_its_first_half(task, step):
    x, y, mask = task(5, length=4, symbols=7)
    assert x.shape == y.shape == mask.shape == (5, 8)
    asked = x[:, :4]
    assert asked.max() < 7
    assert (x[:, 4] == 7).all()
    np.testing.assert_array_equal(y[mask].reshape(5, 4), asked[:, ::step])
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])


def test_modular_addition_lists_every_sum_once():
    x, y = modular_addition(7)
    assert len({tuple(row) for row in x.tolist()}) == 49
    assert (x[:, 2] == 7).all()
    np.testing.assert_array_equal(y, (x[:, 0] + x[:, 1]) % 7)


NUMBERS = [np.int8, np.uint8, np.int64, np.asarray, jnp.int8]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "task",
    [
        lambda n: xor(n(100)),
        lambda n: moons(n(100), seed=n(1)),
        lambda n: spirals(n(100), arms=n(3)),
        lambda n: copying(n(100), length=n(100), symbols=n(100)),
        lambda n: reversing(n(100), length=n(100), symbols=n(100)),
        lambda n: modular_addition(n(97)),
    ],
)
def test_small_integers_of_numpy_and_jax_count_like_those_of_python(task, number):
    for ours, expected in zip(task(number), task(int), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("bad", [True, 1.5, "3", 0, -1, None])
@pytest.mark.parametrize("task", [xor, moons, spirals, modular_addition])
def test_a_number_that_is_not_whole_and_positive_is_refused(task, bad):
    with pytest.raises(ValueError, match=r"must be a whole number, .*1.*, and is "):
        task(bad)
