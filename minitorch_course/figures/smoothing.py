"""Smoothing of noisy curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def trailing_mean(values: ArrayLike, width: int) -> np.ndarray:
    """Return the mean of each row and the `width - 1` rows before it, or of all rows so far if there are fewer.

    Args:
      values: shape (steps, ...).
      width: number of rows in a mean.
    """
    values = np.asarray(values)
    total = np.cumsum(np.concatenate([np.zeros((1, *values.shape[1:])), values]), axis=0)
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - width, 0)
    counts = (end - begin).reshape(-1, *[1] * (values.ndim - 1))
    return (total[end] - total[begin]) / counts
