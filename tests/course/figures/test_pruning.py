"""Plots of pruned weights."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import pruning


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def test_the_pruned_band_holds_its_share_of_the_weights():
    weights = np.linspace(-1, 3, 401)
    pruning.spread(weights, [0.25, 0.5])
    first, second = ([axes.patches[0].get_x(), axes.patches[0].get_width()] for axes in drawn())
    for (left, width), share in ((first, 0.25), (second, 0.5)):
        assert np.mean((weights > left) & (weights < left + width)) == pytest.approx(share, abs=0.01)


def test_each_pattern_keeps_half_and_keeps_its_rule():
    pruning.patterns(np.random.default_rng(0).normal(size=(8, 8)))
    free, grouped, neurons = (axes.collections[0].get_array().reshape(8, 8)[::-1] for axes in drawn())
    assert free.sum() == grouped.sum() == neurons.sum() == 32
    assert (grouped.reshape(2, 4, 8).sum(axis=1) == 2).all()
    assert (free != grouped).any()
    assert set(neurons.sum(axis=0)) == {0, 8}


def test_a_curve_for_each_way_to_prune_and_a_line_for_the_whole_model():
    pruning.against_sparsity([0.5, 0.975], {"by lot": [1.0, 2.0], "by size": [0.5, 0.75]}, "loss", 0.4, "gone (%)")
    (axes,) = drawn()
    whole, *curves = axes.lines
    assert set(whole.get_ydata()) == {0.4}
    assert {line.get_label(): list(line.get_ydata()) for line in curves} == {"by lot": [1, 2], "by size": [0.5, 0.75]}
    assert [text.get_text() for text in axes.get_xticklabels()] == ["50", "97.5"]
