"""Real images without a download: scikit-learn's 1,797 handwritten digits, 8 x 8 pixels.

Source: the test part of Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI repository, CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from .._numbers import check_whole
from .._optional import require

Examples = tuple[np.ndarray, np.ndarray]


def load_digits() -> Examples:
    """Return images `(1797, 8, 8)`, float32 in [0, 1], and labels `(1797,)`, int32 in 0..9, in the source's order.

    Raises:
      ImportError: scikit-learn is missing; the message has the install command.
    """
    datasets = require("sklearn.datasets", "load_digits", "pip install 'minitorch-course[course]'")
    bunch = datasets.load_digits()
    return (bunch.images / 16).astype(np.float32), bunch.target.astype(np.int32)


def stratified_split(
    inputs: np.ndarray, labels: np.ndarray, *, validation: float = 0.2, seed: int = 0
) -> tuple[Examples, Examples]:
    """Return `(inputs, labels)` for training and for validation, with the same share of every class in both.

    `validation` is the share for validation; the split is a function of `(labels, validation, seed)` alone.

    Raises:
      ValueError: the lengths differ, or a class would have no example in one of the parts.
    """
    if len(inputs) != len(labels):
        raise ValueError(f"{len(inputs)} inputs but {len(labels)} labels: give one label for each input")
    labels = np.asarray(labels)
    order = np.random.default_rng(check_whole("seed", seed, 0)).permutation(len(labels))
    held_out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        count = round(validation * len(members))
        if not 0 < count < len(members):
            raise ValueError(
                f"class {label} has {len(members)} examples, so validation={validation} holds out {count} of them: "
                "choose a share that leaves at least one in each part"
            )
        held_out[members[:count]] = True
    return (inputs[~held_out], labels[~held_out]), (inputs[held_out], labels[held_out])
