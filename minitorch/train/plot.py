"""The loss curve of a run as a PNG image."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from .._palette import BLUE, VERMILION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tracking import Row

GREY = "#8c8c8c"  # of the grid


def loss_plot(rows: Sequence[Row]) -> bytes:
    """Plot the training and validation loss over the steps in `rows`; return the PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # Not pyplot: no window, no global state.
    from matplotlib.figure import Figure

    steps, losses = np.array([row["step"] for row in rows]), np.array([row["loss"] for row in rows])
    evaluated = [(row["step"], row["val_loss"]) for row in rows if "val_loss" in row]
    figure = Figure(figsize=(7.5, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    window = len(rows) // 40
    if window > 1:
        axes.plot(steps, losses, color=BLUE, alpha=0.25, linewidth=0.7, label="training, each batch")
        losses, label = running_mean(losses, window), f"training, mean of {window} batches"
    else:
        label = "training"
    axes.plot(steps, losses, color=BLUE, linewidth=1.8, label=label)
    if evaluated:
        axes.plot(
            *zip(*evaluated, strict=True), color=VERMILION, linewidth=1.8, marker="o", markersize=4, label="validation"
        )
        axes.annotate(
            f"{evaluated[-1][1]:.3f}",
            evaluated[-1],
            textcoords="offset points",
            xytext=(0, 10),
            ha="right",
            color=VERMILION,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )
    axes.set_xlabel("training step")
    axes.set_ylabel("loss (nats per token)")
    axes.grid(color=GREY, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the centred mean over `window` of `values` (N,), or over fewer at the ends: (N,)."""
    sums, i = np.concatenate([[0.0], np.cumsum(values)]), np.arange(len(values))
    starts, ends = np.maximum(i - window // 2, 0), np.minimum(i + (window + 1) // 2, len(values))
    return (sums[ends] - sums[starts]) / (ends - starts)
