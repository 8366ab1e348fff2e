"""The figures of training runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from minitorch_course.figures import runs


def drawn():
    """The panels of the figure."""
    return plt.gcf().axes


def log(count, every=20):
    """Rows of a run whose loss is 4 - its step / 100."""
    rows = [{"step": i, "loss": 4 - i / 100} for i in range(1, count + 1)]
    for row in rows[every - 1 :: every]:
        row["val_loss"] = row["loss"]
    return rows


def test_the_perplexity_of_a_uniform_distribution_is_its_number_of_tokens():
    runs.surprise()
    assert drawn()[1].get_title() == "perplexity 8.0"
    unsure = [float(axes.get_title().split()[-1]) for axes in drawn()[1:]]
    assert unsure == sorted(unsure, reverse=True)


def test_the_loss_of_a_coin_is_ln_2():
    runs.surprise()
    points = [line.get_data() for line in drawn()[0].lines[1:]]
    assert any(x[0] == 0.5 and y[0] == pytest.approx(0.6931, abs=1e-4) for x, y in points)


def test_curves_show_smoothed_training_losses_and_the_validation_losses_as_they_are():
    runs.curves({"one": log(100)}, {"no idea": 5.5, "pairs": 2.5}, bound=3.2)
    line, dots, *levels = drawn()[0].lines
    assert line.get_data()[1][-1] == pytest.approx(np.mean([4 - i / 100 for i in range(81, 101)]))
    assert dots.get_xdata().tolist() == [20, 40, 60, 80, 100]
    assert [level.get_ydata()[0] for level in levels] == [2.5, 3.2]
    assert [text.get_text() for text in drawn()[0].texts] == ["pairs", "the bound"]


def test_a_resumed_run_is_drawn_from_where_it_was_saved():
    runs.resumed(log(60), log(46), saved=40)
    whole, killed, rest = (line.get_xdata() for line in drawn()[0].lines[:3])
    assert (whole[-1], killed[-1], rest[0], rest[-1]) == (60, 46, 41, 60)
    assert [text.get_text() for text in drawn()[0].texts] == ["saved", "killed"]


def test_the_power_law_extends_to_the_point_that_was_not_fitted():
    sizes, losses = [1e4, 1e5, 1e6], [3.0, 2.4, 2.0]
    runs.scaling(sizes, losses, 8.0, 0.1, fitted=2)
    law, used, beyond = drawn()[0].lines
    assert law.get_ydata() == pytest.approx(8.0 * law.get_xdata() ** -0.1)
    assert law.get_xdata()[-1] > 1e6
    assert (used.get_ydata().tolist(), beyond.get_ydata().tolist()) == ([3.0, 2.4], [2.0])


def test_the_least_time_is_lost_if_saving_costs_as_much_as_repeating():
    runs.lost_time(cost=1, between=50)
    together, saving, repeating, best = drawn()[0].lines
    assert best.get_xdata()[0] == pytest.approx(10)
    i = np.argmin(together.get_ydata())
    assert saving.get_ydata()[i] == pytest.approx(repeating.get_ydata()[i], rel=0.05)
