"""The figures of notebook 11."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import distillation


def panels():
    """The panels of the figure."""
    return plt.gcf().axes


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


def test_each_picture_has_bars_for_each_opinion_and_the_label_stands_out():
    said = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    distillation.opinions(np.zeros((2, 8, 8)), [0, 2], {"sharp": said, "soft": said / 2})
    assert heights(panels()[1]) == pytest.approx([0.7, 0.2, 0.1])
    assert heights(panels()[5]) == pytest.approx([0.05, 0.3, 0.15])
    colours = [bar.get_facecolor() for bar in panels()[4].patches]
    assert colours[0] == colours[1] != colours[2]


def test_the_table_is_in_per_cent_and_omits_the_diagonal_and_tiny_entries():
    distillation.kinship([[0.0, 0.998, 0.002], [0.4, 0.0, 0.6], [0.25, 0.75, 0.0]])
    assert [text.get_text() for text in panels()[0].texts] == ["100", "40", "60", "25", "75"]


def test_students_stand_before_their_teachers_hills():
    distillation.hills(np.arange(3.0), np.array([0.5, 0.0, 0.5]), {"forward": np.array([0.3, 0.4, 0.3])})
    assert panels()[0].lines[0].get_ydata().tolist() == [0.3, 0.4, 0.3]


def test_gradients_are_drawn_over_the_temperature():
    distillation.sizes([1.0, 4.0], {"KL": [2.0, 0.125]})
    assert panels()[0].lines[0].get_xydata().tolist() == [[1.0, 2.0], [4.0, 0.125]]


def test_each_student_has_a_dot_and_each_group_a_mean():
    scores = {(count, name): [80.0, 90.0 + count / 10] for count in (10, 100) for name in ("alone", "answers")}
    distillation.accuracies(scores, teacher=99.0)
    lines = {line.get_label(): line.get_ydata() for line in panels()[0].lines}
    assert list(lines["alone"]) == [85.5, 90.0]
    assert [list(line.get_ydata()) for line in panels()[0].lines[:2]] == [[80.0, 91.0], [80.0, 100.0]]
    assert [text.get_text() for text in panels()[0].get_xticklabels()] == ["10", "100"]


def test_each_reader_has_a_bar_for_each_digit():
    distillation.by_digit({"alone": np.linspace(0, 0.9, 10), "taught": np.ones(10)}, marked=3)
    bars = heights(panels()[0])
    assert bars[:10] == pytest.approx(list(range(0, 100, 10)))
    assert bars[10:20] == pytest.approx([100] * 10)
