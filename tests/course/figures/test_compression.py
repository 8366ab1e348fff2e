"""Plots of how much shorter tokens make a text."""

import matplotlib.pyplot as plt

from minitorch_course.figures import compression

SIZES = [256, 512, 1024]


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def test_each_text_has_a_line_over_the_sizes():
    compression.tokens_per_byte(SIZES, {"prose": [1.0, 0.5, 0.4], "code": [1.0, 0.7, 0.6]})
    (axes,) = drawn()
    assert [line.get_label() for line in axes.lines] == ["prose", "code"]
    assert list(axes.lines[1].get_ydata()) == [1.0, 0.7, 0.6]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["256", "512", "1,024"]


def test_bits_are_shown_twice_and_the_least_for_a_byte_is_named():
    compression.bits(SIZES, [3.0, 5.0, 6.0], [3.0, 2.25, 2.4])
    tokens, bytes_ = drawn()
    assert list(tokens.lines[0].get_ydata()) == [3.0, 5.0, 6.0]
    assert [text.get_text() for text in bytes_.texts] == ["2.25"]


def test_each_language_has_three_bars():
    compression.languages({"English": (9, 9, 3), "Greek": (9, 17, 17)})
    (axes,) = drawn()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["English", "Greek"]
    assert sorted(bar.get_width() for bar in axes.patches) == [3, 9, 9, 9, 17, 17]
