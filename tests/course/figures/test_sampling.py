"""Bars of probabilities, the ruler, two models on top of each other."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch._palette import INK, PALE_GRAY
from minitorch_course.figures import sampling

WORDS = ["mat", "sofa", "floor"]
LOGITS = np.log([0.2, 0.5, 0.3])


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def heights(bars):
    return [bar.get_height() for bar in bars]


def test_bars_are_sorted_by_probability_and_keep_their_outlines():
    sampling.bars(
        WORDS, {"": LOGITS}, {"without sofa": lambda logits: np.where(logits == logits.max(), -np.inf, logits)}
    )
    plain, without = drawn()
    assert [label.get_text() for label in plain.get_xticklabels()] == ["sofa", "floor", "mat"]
    outline, bars = without.containers
    assert heights(outline) == pytest.approx([0.5, 0.3, 0.2])
    assert heights(bars) == pytest.approx([0, 0.6, 0.4])
    assert [label.get_color() for label in without.get_xticklabels()] == [PALE_GRAY, INK, INK]


def test_each_mood_has_a_row_and_each_sampler_a_column():
    sampling.bars(
        WORDS, {"sure": 3 * LOGITS, "not sure": LOGITS / 3}, {"as it is": lambda x: x, "hot": lambda x: x / 2}
    )
    assert [axes.get_title() for axes in drawn()] == ["as the model gives them", "as it is", "hot"] * 2
    assert drawn()[3].get_ylabel() == "not sure\nprobability"


def test_words_lie_on_the_ruler_one_behind_the_other():
    sampling.ruler(WORDS, [0.2, 0.5, 0.3], [0.4])
    words = drawn()[0].patches[:3]
    assert [word.get_x() for word in words] == pytest.approx([0, 0.2, 0.7])
    assert [word.get_width() for word in words] == pytest.approx([0.2, 0.5, 0.3])
    assert "0.4" in [text.get_text() for text in drawn()[0].texts]


def test_the_shared_part_and_the_excess_add_up_to_the_target():
    sampling.overlap(WORDS, [0.5, 0.3, 0.2], [0.1, 0.3, 0.6])
    shared, more, less = drawn()[1].containers
    assert np.add(heights(shared), heights(more)) == pytest.approx([0.1, 0.3, 0.6])
    assert heights(less) == pytest.approx([0.4])
    assert "60 %" in shared.get_label()
