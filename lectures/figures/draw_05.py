"""Draw the figures of lecture 05: `.venv/bin/python lectures/figures/draw_05.py`.

The roof is that of the notebook's table, a machine of 200 GFLOP/s and 20 GB/s, so that the figures are the same
everywhere.
"""

from __future__ import annotations

import numpy as np
from sheet import Sheet

from minitorch_course.figures import roofline, staging

PEAK, BANDWIDTH = 200e9, 20e9
DRAWINGS = {
    "lanes": staging.lanes,
    "nested": staging.nested,
    "donation": staging.donation,
    "history": staging.history,
    "fusion": staging.fusion,
}
PROGRAMS = {
    "2 tanh x, one by one": (2 / 16, 2.5e9),
    "2 tanh x, fused": (2 / 8, 5e9),
    "a product, 1024 × 1024": (1024 / 6, 200e9),
}
LAYERS = {"1024 to 1024": (1024, 1024), "64 to 128": (64, 128), "64 to 10": (64, 10)}


def attainable(intensity: np.ndarray, peak: float, bandwidth: float) -> np.ndarray:
    return np.minimum(peak, bandwidth * intensity)


def main() -> None:
    """Write all figures beside this file."""
    sheet = Sheet("05", font=13)
    sheet.put({name: draw() for name, draw in DRAWINGS.items()})
    roofline.roofline(PEAK, BANDWIDTH, attainable, {name: [point] for name, point in PROGRAMS.items()})
    sheet.save("roof")
    roofline.batching(PEAK, BANDWIDTH, attainable, LAYERS)
    sheet.save("batching")


if __name__ == "__main__":
    main()
