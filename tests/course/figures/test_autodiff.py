"""The plots of notebook 02."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import autodiff


def titles():
    return [axes.get_title() for axes in plt.gcf().axes]


def test_the_difference_is_relative_to_the_claim():
    autodiff.gradient_check({"half": (lambda h: 1.0 + h, 2.0)})
    (line,) = plt.gca().lines
    assert line.get_ydata()[0] == pytest.approx(0.5, abs=1e-4)
    assert line.get_xdata()[-1] == pytest.approx(1.0)


def test_a_curve_has_its_name():
    autodiff.curves(np.arange(3.0), {"tanh": np.arange(3.0), "first derivative": np.ones(3)})
    assert [text.get_text() for text in plt.gca().get_legend().get_texts()] == ["tanh", "first derivative"]


def test_the_mean_of_an_epoch_is_drawn_in_its_middle():
    autodiff.training([4.0, 2.0, 3.0, 1.0], [0.5, 0.9])
    loss, accuracy = plt.gcf().axes
    assert loss.lines[1].get_xdata().tolist() == [1.0, 3.0]
    assert loss.lines[1].get_ydata().tolist() == [3.0, 2.0]
    assert accuracy.lines[0].get_ydata() == pytest.approx([50, 90])


def test_misread_digits_come_first_and_say_what_they_are():
    labels = np.array([3] * 7 + [5])
    probabilities = np.eye(10)[[3] * 8] * 0.9
    autodiff.read(np.zeros((8, 64)), labels, probabilities)
    assert titles()[:3] == ["3, 90 % sure\nis a 5", "3, 90 % sure", "3, 90 % sure"]


def test_digits_are_named():
    autodiff.digits(np.zeros((12, 64)), np.arange(12) % 10)
    assert titles()[:2] == ["a 0", "a 1"]


def test_the_largest_units_come_first():
    matrix = np.ones((64, 40)) * np.arange(40)
    autodiff.weights(matrix)
    first, second = plt.gcf().axes[:2]
    assert first.images[0].get_array()[0, 0] == 39
    assert second.images[0].get_array()[0, 0] == 38
