"""Draw the figures of lecture 05: `python lectures/figures/src/05_graph.py`.

The roofline is that of the machine in the notebook's table, 200 GFLOP/s and 20 GB/s, so that the figures are the same
on every machine.
"""

from __future__ import annotations

import numpy as np
from sheet import Sheet

from minitorch_course.figures import roofline, staging

PEAK, BANDWIDTH = 200e9, 20e9
FIGURES = {
    "lanes": staging.lanes(),
    "nested": staging.nested(),
    "donation": staging.donation(),
    "history": staging.history(),
    "fusion": staging.fusion(),
}
PROGRAMS = {
    "2 tanh x, one by one": (2 / 16, 2.5e9),
    "2 tanh x, fused": (2 / 8, 5e9),
    "a product, 1024 × 1024": (1024 / 6, 200e9),
}
LAYERS = {"1024 to 1024": (1024, 1024), "64 to 128": (64, 128), "64 to 10": (64, 10)}


def attainable(intensity: np.ndarray, peak: float, bandwidth: float) -> np.ndarray:
    """Return the attainable FLOP/s at an intensity in FLOP/byte."""
    return np.minimum(peak, bandwidth * intensity)


def main() -> None:
    """Write all figures to `lectures/figures`."""
    sheet = Sheet("05", font=13)
    sheet.put(FIGURES)
    roofline.roofline(PEAK, BANDWIDTH, attainable, {name: [point] for name, point in PROGRAMS.items()})
    sheet.save("roof")
    roofline.batching(PEAK, BANDWIDTH, attainable, LAYERS)
    sheet.save("batching")


if __name__ == "__main__":
    main()
