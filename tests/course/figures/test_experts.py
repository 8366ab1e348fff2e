"""Plots of routers and experts."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import experts
from minitorch_course.figures.smoothing import trailing_mean


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def test_a_line_is_as_thick_as_its_gate_and_missing_where_there_is_none():
    experts.routed(["a", "b"], {"top 1": [[0.5, 0], [0, 0.9]], "top 2": [[0.5, 0.5], [0.1, 0.9]]})
    one, two = drawn()
    assert len(one.lines) == 2
    assert len(two.lines) == 4
    assert one.lines[0].get_linewidth() < one.lines[1].get_linewidth()
    assert [text.get_text() for text in one.texts] == ["a", "b", "expert 0", "expert 1"]


@pytest.mark.parametrize("top", [1, 2])
def test_shares_of_experts_are_stacked(top):
    shares = top * np.tile([0.7, 0.3], (30, 1))
    experts.use({"uneven": shares, "same": shares})
    first, second = drawn()[0].collections
    assert first.get_paths()[0].vertices[:, 1].max() == pytest.approx(70 * top)
    assert second.get_paths()[0].vertices[:, 1].max() == pytest.approx(100 * top)


def test_the_mean_of_the_last_rows_is_shown():
    rows = np.arange(24.0).reshape(12, 2)
    np.testing.assert_allclose(trailing_mean(rows, 4)[[0, 11]], [rows[0], rows[8:].mean(axis=0)])


def test_each_model_stands_at_its_work_and_its_loss():
    experts.bought({"dense": (10, 10, 2.0), "mixture": (10, 80, 1.0)}, "error")
    (axes,) = drawn()
    assert [tuple(line.get_xydata()[0]) for line in axes.lines] == [(10, 2), (10, 1)]
    small, large = (dots.get_sizes()[0] for dots in axes.collections)
    assert large == 8 * small
    assert axes.get_ylabel() == "error"


def test_pages_are_gray_and_maps_have_a_colour_for_each_expert():
    experts.pages({"page": np.zeros((4, 4))}, {"who": np.arange(16).reshape(4, 4) % 8})
    page, who, _ = drawn()
    assert (page.get_title(), who.get_title()) == ("page", "who")
    assert len(np.unique(who.images[0].to_rgba(who.images[0].get_array()).reshape(-1, 4), axis=0)) == 8
