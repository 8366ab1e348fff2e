"""Drawings of the chain rule."""

import pytest

from minitorch_course.figures import chain_rule


def test_what_is_summed_backwards_are_the_columns_of_g(texts):
    shown = texts(chain_rule.copying_and_summing())
    assert shown[shown.index("b receives") - 3 : shown.index("b receives")] == ["5", "7", "9"]


def test_the_number_of_paths_doubles(texts):
    assert [t for t in texts(chain_rule.paths(3)) if t.isdigit()] == ["8", "4", "2", "1"]


def test_slopes_of_softmax_sum_to_zero(texts):
    slopes = [float(t.replace("−", "-")) for t in texts(chain_rule.softmax_slopes((2.0, 1.0, 0.0))) if t[0] in "+−"]
    assert slopes[:3] == [0.223, -0.163, -0.06]
    assert sum(slopes) == pytest.approx(0, abs=0.005)


@pytest.mark.parametrize(
    ("draw", "word"),
    [
        (chain_rule.orders, "1 × 1,000"),
        (chain_rule.nested, "Tensor of the inner tape"),
        (chain_rule.history, "Linnainmaa"),
    ],
)
def test_drawings_are_svg_with_their_words(draw, word, texts):
    assert word in texts(draw())
