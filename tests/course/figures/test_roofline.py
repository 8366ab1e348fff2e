"""The plots of notebook 05."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import roofline


def drawn():
    return plt.gcf().axes[0]


def attainable(intensity, peak, bandwidth):
    return np.minimum(peak, bandwidth * intensity)


def test_the_roof_rises_to_the_ridge_and_stays():
    roofline.roofline(200e9, 20e9, attainable, {"a product": [(100.0, 150e9)]})
    roof, ridge, point = drawn().lines
    x, y = roof.get_data()
    assert y[x < 10] == pytest.approx(20 * x[x < 10])
    assert y[x > 10] == pytest.approx(200)
    assert ridge.get_xdata()[0] == 10
    assert point.get_ydata().tolist() == [150]


def test_every_point_is_inside_the_picture():
    roofline.roofline(200e9, 20e9, attainable, {"tiny": [(1e-3, 1e6)], "huge": [(1e4, 1e11)]})
    left, right = drawn().get_xlim()
    assert left < 1e-3 < 1e4 < right


def test_dots_are_labelled_with_time_and_speedup():
    roofline.step_times({"eager": 8e-3, "compiled": 2e-4})
    assert [text.get_text() for text in drawn().texts] == ["eager: 8 ms, 1×", "compiled: 0.2 ms, 40×"]


def test_a_line_for_each_way():
    roofline.against_batch([16, 64], {"eager": [0.001, 0.002], "compiled": [0.0001, 0.0003]})
    assert [line.get_label() for line in drawn().lines] == ["eager", "compiled"]
    assert drawn().lines[1].get_ydata() == pytest.approx([0.1, 0.3])


def test_a_layer_reaches_the_peak_if_computing_takes_as_long_as_moving():
    roofline.batching(200e9, 20e9, attainable, {"wide": (1024, 1024), "narrow": (64, 10)})
    (batch, wide), (_, narrow) = (line.get_data() for line in drawn().lines)
    assert wide[batch > 20.9] == pytest.approx(100)
    assert wide[batch < 20.8].max() < 100
    assert narrow.max() < 50
