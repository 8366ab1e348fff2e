"""The data of the lab `ci`: the digits of scikit-learn, and synthetic applications for loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minitorch._optional import require

if TYPE_CHECKING:
    from pathlib import Path

DIGITS, LOANS = 1200, 2400  # rows of each table
HEADER = "income,debt,district,group,repaid"


def write_datasets(folder: Path) -> None:
    """Write the `train` and `held-out` halves of both tables to a new folder. The data are always the same."""
    folder.mkdir()
    for name, table, header, form in (("digits", _digits(), _pixels(), "%d"), ("loans", _loans(), HEADER, "%.4g")):
        half = len(table) // 2
        for part, rows in (("train", table[:half]), ("held-out", table[half:])):
            np.savetxt(folder / f"{name}-{part}.csv", rows, form, ",", header=header, comments="")


def _pixels() -> str:
    return ",".join([*(f"p{i}" for i in range(64)), "digit"])


def _digits() -> np.ndarray:
    datasets = require("sklearn.datasets", "The lab's digits", "pip install 'minitorch-course[course]'")
    pixels, labels = datasets.load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(pixels))[:DIGITS]
    return np.column_stack([pixels, labels])[chosen]


def _loans() -> np.ndarray:
    """Return two groups with equal incomes and debts; one lives mostly in one district, and repays less often."""
    rng = np.random.default_rng(1)
    group = rng.random(LOANS) < 0.4
    income, debt = rng.normal(size=(2, LOANS))
    district = np.where(rng.random(LOANS) < 0.9, group, ~group)
    chance = 1 / (1 + np.exp(-(2 * income - 2 * debt + 0.9 - 2.2 * group)))
    return np.column_stack([income, debt, district, group, rng.random(LOANS) < chance])
