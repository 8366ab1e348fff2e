"""The figures of notebook 07 on positions in a text."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch.nn import rope
from minitorch_course.figures import positions


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def test_hands_stand_where_rope_turns_them():
    positions.hands(rope, places=(0, 2), d=4, base=100.0)
    tips = [axes.texts[0].xy for axes in drawn()]
    angles = [0.0, 2.0, 0.0, 0.2]  # Pair 0 at both positions, then pair 1, at a tenth of the speed.
    assert np.array(tips) == pytest.approx(np.stack([np.cos(angles), np.sin(angles)], 1), abs=1e-5)


def test_rotary_scores_are_constant_along_diagonals_and_the_others_are_not():
    positions.by_distance(rope, tokens=6)
    added, turned = (np.asarray(axes.images[0].get_array()) for axes in drawn())
    for table, spread in ((added, 1.0), (turned, 1e-3)):
        largest = max(np.ptp(np.diagonal(table, k)) for k in range(-4, 5))
        assert (largest < 1e-3) == (spread < 1)
