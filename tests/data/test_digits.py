"""The digits are the real ones, and the split is fair, disjoint and repeatable."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from minitorch.data import load_digits, stratified_split, validate


def test_images_are_scikit_learns_scaled_to_one():
    images, labels = load_digits()
    assert (images.shape, images.dtype, labels.dtype) == ((1797, 8, 8), np.float32, np.int32)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as UCI lists them
    first_row = [0, 0, 5, 13, 9, 1, 0, 0]
    assert (images[0, 0] * 16).tolist() == first_row


def test_split_holds_out_the_same_share_of_every_class():
    images, labels = load_digits()
    (train, train_labels), (held, held_labels) = stratified_split(images, labels, validation=0.2, seed=3)
    assert len(train) + len(held) == len(train_labels) + len(held_labels) == 1797
    assert np.bincount(held_labels).tolist() == [round(0.2 * n) for n in np.bincount(labels)]
    rows = lambda x: sorted(row.tobytes() for row in x)  # noqa: E731
    assert sorted(rows(train) + rows(held)) == rows(images)


def test_split_depends_on_the_seed_and_nothing_else():
    images, labels = load_digits()
    held = [stratified_split(images, labels, seed=seed)[1][0] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(held[0], held[1])
    assert not np.array_equal(held[0], held[2])


def test_split_keeps_inputs_and_labels_together():
    labels = np.arange(40) % 4
    for inputs, kept in stratified_split(labels * 10, labels, validation=0.5):
        np.testing.assert_array_equal(inputs, kept * 10)


def test_digits_have_no_copy_across_the_split():
    train, held = stratified_split(*load_digits())
    assert not validate(train[0], held[0]).problems


def test_a_class_too_small_to_split_is_named():
    with pytest.raises(ValueError, match=r"class 1 has 1 examples, so validation=0.2 holds out 0 of them: choose"):
        stratified_split(np.zeros(11), np.array([0] * 10 + [1]))


def test_unequal_lengths_are_rejected():
    with pytest.raises(ValueError, match="3 inputs but 2 labels"):
        stratified_split(np.zeros(3), np.zeros(2))


def test_missing_scikit_learn_names_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs the package sklearn.*pip install 'minitorch-course\[course\]'"):
        load_digits()
