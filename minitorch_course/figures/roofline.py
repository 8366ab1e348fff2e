"""Plots of notebook 05: the roofline of a machine, times of a step, times against the batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GREEN, ORANGE, PINK, SKY, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS = (BLUE, VERMILION, GREEN, PINK, SKY, ORANGE)
MARKERS = "osD^vP"
STYLES = ("-", "--", "-.", (0, (1, 1)))


def roofline(
    peak: float, bandwidth: float, attainable: Any, points: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    """Plot the roofline of a machine in FLOP/s over FLOP/byte, and the speed of programs.

    `attainable(intensity, peak, bandwidth)` gives the roofline. `points` maps a name to pairs
    (intensity, FLOP/s), joined by a line.
    """
    every = [pair for pairs in points.values() for pair in pairs]
    lowest = min([0.05, *(x for x, _ in every)]) / 2
    highest = max([10 * peak / bandwidth, *(x for x, _ in every)]) * 2
    x = np.geomspace(lowest, highest, 200)
    _, axes = plt.subplots(figsize=(9, 4.4), layout="constrained")
    axes.loglog(x, np.asarray(attainable(x, peak, bandwidth)) / 1e9, color="black", linewidth=2, label="the roof")
    axes.axvline(peak / bandwidth, color="0.6", linestyle=":", label=f"ridge: {peak / bandwidth:.0f} FLOP a byte")
    for (name, pairs), colour, marker in zip(points.items(), COLOURS, MARKERS, strict=False):
        intensity, speed = np.array(pairs).T
        axes.plot(intensity, speed / 1e9, marker, linestyle="-", color=colour, linewidth=0.8, label=name)
    axes.set(xlabel="intensity: FLOP for each byte carried", ylabel="speed (GFLOP/s)", xlim=(lowest, highest))
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower right")
    plt.show()


def batching(
    peak: float, bandwidth: float, attainable: Any, layers: Mapping[str, tuple[int, int]], itemsize: int = 4
) -> None:
    """Plot the attainable share of the peak of a layer against its batch size. `layers`: name -> (inputs, outputs)."""
    batch = np.geomspace(1, 4096, 100)
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for (name, (n, m)), colour, style in zip(layers.items(), COLOURS, STYLES, strict=False):
        intensity = 2 * batch * n * m / (itemsize * (batch * n + n * m + batch * m))
        share = 100 * np.asarray(attainable(intensity, peak, bandwidth)) / peak
        axes.semilogx(batch, share, linestyle=style, color=colour, label=name, base=2)
    axes.set(xlabel="examples in the batch", ylabel="attainable (% of the peak)", ylim=(0, 105))
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def step_times(seconds: Mapping[str, float]) -> None:
    """Plot the times of a step in several ways, in seconds, with their speedups over the first."""
    names, times = list(seconds), 1000 * np.array(list(seconds.values()))
    _, axes = plt.subplots(figsize=(9, 0.5 * len(names) + 1), layout="constrained")
    for i, (name, t) in enumerate(zip(names, times, strict=True)):
        axes.plot(t, i, MARKERS[i], color=COLOURS[i], markersize=9)
        axes.annotate(f"{name}: {t:.3g} ms, {times[0] / t:.3g}×", (t, i), (12, -4), textcoords="offset points")
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds a step", xlim=(times.min() / 1.5, times.max() * 15), ylim=(len(names) - 0.5, -0.5))
    axes.set_yticks([])
    axes.grid(alpha=0.3, axis="x", which="both")
    plt.show()


def against_batch(sizes: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> None:
    """Plot the time of a step against the batch size, in several ways."""
    _, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for (name, times), colour, marker, style in zip(seconds.items(), COLOURS, MARKERS, STYLES, strict=False):
        axes.loglog(sizes, 1000 * np.asarray(times), marker, linestyle=style, color=colour, label=name)
    axes.set(xlabel="examples in the batch", ylabel="milliseconds a step")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    plt.show()
