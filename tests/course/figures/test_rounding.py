"""Rulers, errors, and what rounding does to a model."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import rounding


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def words(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def test_an_arrow_leads_from_each_number_to_the_nearest_mark():
    rounding.rulers({"": ([0.9, -0.26], 0.5 * np.arange(-3, 4))})
    arrows = [text for text in drawn()[0].texts if not text.get_text()]
    assert [arrow.xy[0] for arrow in arrows] == [-0.5, 1.0]
    assert words(drawn()[0]) == ["−3", "−2", "−1", "0", "1", "2", "3", "−0.26", "0.9"]


def test_the_codes_of_an_affine_ruler_begin_with_0():
    rounding.rulers({"": ([0.2], 0.5 * (np.arange(4) - 1))})
    assert words(drawn()[0])[:4] == ["0", "1", "2", "3"]


def test_no_error_of_the_staircase_is_above_half_a_scale():
    rounding.staircase(0.5, 3)
    error = drawn()[1].lines[0].get_ydata()
    assert 0.24 < np.abs(error).max() <= 0.25 + 1e-12


def test_the_worst_case_stands_on_both_sides_of_the_errors():
    rounding.errors(np.linspace(-2, 2, 50), 30.0)
    assert sorted(line.get_xdata()[0] for line in drawn()[0].lines[1:]) == [-30.0, 30.0]


def test_divergences_are_compared_with_a_line_that_grows_fourfold():
    rounding.perplexity([6, 5, 4], {"a": [(10.1, 0.1), (11, 0.4), (20, 1)], "b": [(10, 0.2), (12, 0.9), (30, 2)]}, 10.0)
    left, right = drawn()
    assert list(left.lines[1].get_ydata()) == [10, 12, 30]
    first, second, ideal = (line.get_ydata() for line in right.lines)
    assert [*first, *second] == [0.1, 0.4, 1, 0.2, 0.9, 2]
    assert list(ideal) == pytest.approx([0.05, 0.2, 0.8])


def test_each_variant_has_its_point_and_its_name():
    rounding.tradeoff({"float32": (4.0, 0.0), "int4": (0.6, 0.002)})
    assert drawn()[0].collections[0].get_offsets().tolist() == [[4.0, 0.0], [0.6, 2.0]]
    assert words(drawn()[0]) == ["float32", "int4"]
