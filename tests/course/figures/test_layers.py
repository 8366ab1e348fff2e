"""The figures of notebook 03."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import layers


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def test_a_factor_is_multiplied_by_itself():
    layers.relay(people=2)
    assert [line.get_ydata()[-1] for line in drawn()[0].lines] == pytest.approx([1.21, 1.0, 0.81])


def test_slopes_are_those_of_the_functions():
    layers.activations({"double": lambda x: 2 * x})
    assert drawn()[1].lines[0].get_ydata() == pytest.approx(2)


def test_squared_error_has_no_gradient_if_the_model_is_confidently_wrong():
    layers.loss_gradients()
    squared, entropy = drawn()[1].lines
    assert squared.get_ydata()[0] < 0.01
    assert entropy.get_ydata()[0] > 0.99


def test_each_activation_has_a_row_and_each_initialisation_a_line():
    measured = {(bend, name): ([1, 2], [3, 4]) for bend in ("tanh", "ReLU") for name in ("He", "LeCun")}
    layers.through_depth(measured)
    assert [axes.get_title()[:4] for axes in drawn()] == ["tanh", "tanh", "ReLU", "ReLU"]
    assert [line.get_label() for line in drawn()[2].lines] == ["He", "LeCun"]
    assert drawn()[1].lines[0].get_ydata().tolist() == [3, 4]


def test_the_signal_goes_down_the_funnel_to_the_right():
    layers.funnel([8, 4, 2], {"by inputs": ([1, 1], [0.5, 1])})
    first, last = drawn()[0].get_xlim()
    assert first > 4 > 2 > last


def test_normalised_rows_lie_on_the_circle():
    layers.circle(lambda x: x / np.sqrt((x * x).mean(-1, keepdims=True)))
    landed = np.stack(drawn()[0].lines[-1].get_data())
    assert np.linalg.norm(landed, axis=0) == pytest.approx(np.sqrt(3), rel=1e-4)


def test_a_race_shows_means_of_several_steps():
    layers.races({"both": np.arange(1.0, 21.0)}, window=10)
    line = drawn()[0].lines[0]
    assert (line.get_xdata()[0], line.get_ydata()[0]) == pytest.approx((10, 5.5))


def test_misread_digits_are_shown_with_what_was_read():
    logits = np.eye(10)[[1, 2, 2]]
    layers.training([1.0, 0.5], logits, np.zeros((3, 8, 8)), np.array([1, 2, 7]))
    assert drawn()[1].get_title() == "7, read 2"


def test_landscapes_share_their_levels():
    steps = np.linspace(-1, 1, 5)
    layers.landscapes({"low": (steps, np.full((5, 5), 0.1)), "high": (steps, np.full((5, 5), 9.0))})
    assert [axes.get_title() for axes in drawn()[:2]] == ["low", "high"]


def test_the_parabola_has_the_curvature_and_the_slope():
    layers.valley(lambda w: 2 * w * w + w, np.float32(0.0), {"steepest": np.float32(1.0)}, np.float32(4.0))
    curve, parabola = drawn()[0].lines
    assert parabola.get_ydata() == pytest.approx(curve.get_ydata(), abs=1e-4)
