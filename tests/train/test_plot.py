import io

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from minitorch.train.plot import BLUE, VERMILION, loss_plot, running_mean


def pixels(png, colour):
    return int((np.abs(imread(io.BytesIO(png))[..., :3] - np.array(to_rgb(colour))).max(-1) < 0.02).sum())


def test_training_and_validation_are_plotted_in_their_colours():
    rows = [{"step": i, "loss": 4 / i} for i in range(1, 200)]
    assert pixels(loss_plot(rows), BLUE) > 500
    assert pixels(loss_plot(rows), VERMILION) == 0
    rows[99]["val_loss"] = rows[198]["val_loss"] = 1.0
    assert pixels(loss_plot(rows), VERMILION) > 500


def test_the_same_rows_give_the_same_bytes():
    rows = [{"step": 1, "loss": 2.0, "val_loss": 2.0}]
    assert loss_plot(rows) == loss_plot(rows)


def test_the_running_mean_is_centred_and_shorter_at_the_ends():
    np.testing.assert_allclose(running_mean(np.array([1.0, 3, 8, 4, 6]), 3), [2, 4, 5, 6, 5])
    np.testing.assert_allclose(running_mean(np.array([2.0, 4]), 5), [3, 3])
