"""Plots of notebook 10: numbers and the levels they are rounded to, errors, and the effect on a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter

from minitorch._palette import BLUE, GRAY, GREEN, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COLOURS, STYLES, MARKS = (VERMILION, BLUE, GREEN), ("--", "-", "-."), ("o", "s", "^")


def rulers(named: Mapping[str, tuple[Any, Any]]) -> None:
    """Plot rulers, name -> (x, levels): numbers above, with arrows to the nearest levels, and codes below."""
    _, panels = plt.subplots(
        len(named), 1, figsize=(10, 1.75 * len(named)), sharex=True, layout="constrained", squeeze=False
    )
    for axes, (name, (x, marks)) in zip(panels[:, 0], named.items(), strict=True):
        _ruler(axes, np.asarray(x), np.asarray(marks))
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
    panels[-1, 0].set_xlabel("above: numbers; below each mark: its code")
    plt.show()


def _ruler(axes: Axes, x: np.ndarray, marks: np.ndarray) -> None:
    first = round(marks[0] / (marks[1] - marks[0]))
    lowest = first if first < -1 else 0  # Symmetric codes are numbered from 0 in both directions, affine from the left.
    axes.hlines(0, marks[0], marks[-1], color=GRAY)
    for i, mark in enumerate(marks):
        zero = abs(mark) < 1e-6
        axes.vlines(mark, -0.14, 0.14, color=VERMILION if zero else GRAY, linewidth=3 if zero else 1.2)
        axes.text(mark, -0.5, str(lowest + i).replace("-", "−"), ha="center", va="center", color=GRAY)
    x = np.sort(x)
    for i, number in enumerate(x):
        mark, high = marks[np.abs(number - marks).argmin()], 1.3 if i % 2 else 0.8  # So that neighbours do not overlap.
        axes.annotate("", (mark, 0.1), (number, high), arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 1.2})
        axes.text(number, high + 0.1, f"{number:g}".replace("-", "−"), ha="center", color=BLUE)
    axes.set(ylim=(-0.75, 1.8), yticks=[], xticks=[])
    axes.spines[["top", "left", "right", "bottom"]].set_visible(False)


def staircase(scale: float, last: int) -> None:
    """Plot a number after rounding with a scale and codes up to `last`, and its error."""
    x = np.linspace(-last * scale, last * scale, 40 * last * 5 + 1)
    y = scale * np.round(x / scale)
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.3), layout="constrained")
    left.plot(x, x, ":", color=GRAY, label="as it was")
    left.plot(x, y, color=BLUE, label="rounded")
    left.set(xlabel="weight", ylabel="code times scale")
    left.legend(frameon=False)
    right.plot(x, y - x, color=BLUE)
    for side in (-0.5, 0.5):
        right.axhline(side * scale, color=VERMILION, linestyle="--")
    right.text(x[-1], 0.58 * scale, "half the scale", color=VERMILION, ha="right")
    right.set(xlabel="weight", ylabel="error", ylim=(-0.8 * scale, 0.8 * scale))
    _plain(left, right)
    plt.show()


def errors(in_deviations: Any, worst: float) -> None:
    """Plot the distribution of errors in predicted standard deviations, and the worst case."""
    values = np.asarray(in_deviations).ravel()
    _, axes = plt.subplots(figsize=(10, 3.2), layout="constrained")
    edges = np.linspace(-5, 5, 51)
    axes.hist(values, list(edges), density=True, color=BLUE, alpha=0.5, label="measured")
    x = np.linspace(-5, 5, 201)
    axes.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=BLUE, label="normal distribution")
    for side in (-worst, worst):
        axes.axvline(side, color=VERMILION, linestyle="--", label="the worst case (median)" if side > 0 else None)
    axes.set(xlabel="error of an output, in the standard deviations that Bennett's formula predicts", ylabel="density")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.58, 1))
    _plain(axes)
    plt.show()


def perplexity(bits: Sequence[int], ways: Mapping[str, Sequence[tuple[float, float]]], whole: float) -> None:
    """Plot perplexity and the KL divergence from the full-precision model against bits, for several scale groups.

    `ways` maps a name to pairs of both; `whole` is the perplexity without rounding. The dotted line grows fourfold per
    bit removed.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.8), layout="constrained")
    for (name, pairs), colour, style, mark in zip(ways.items(), COLOURS, STYLES, MARKS, strict=False):
        look: Any = dict(color=colour, linestyle=style, marker=mark, markersize=4, label=name)
        for axes, values in zip((left, right), zip(*pairs, strict=True), strict=True):
            axes.plot(bits, values, **look)
    left.axhline(whole, color="black", linewidth=1, linestyle=":", label="float32")
    left.set(ylabel="perplexity", ylim=(0.9 * whole, 2 * whole))
    end = min(pairs[0][1] for pairs in ways.values()) / 2
    ideal = [end * 4.0 ** (bits[0] - b) for b in bits]
    right.semilogy(bits, ideal, ":", color="black", linewidth=1, label="four times for each bit")
    right.set(ylabel="KL divergence (nats)")
    right.yaxis.set_minor_formatter(NullFormatter())
    for axes in (left, right):
        axes.set(xlabel="bits", xticks=bits)
        axes.grid(alpha=0.3)
        axes.invert_xaxis()
        axes.legend(frameon=False, fontsize=9)
    _plain(left, right)
    plt.show()


def tradeoff(variants: Mapping[str, tuple[float, float]]) -> None:
    """Plot the KL divergence in nats against size in megabytes: name -> (size, divergence)."""
    _, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
    points = np.array(list(variants.values())) * (1, 1000)
    width, height = points.max(axis=0)
    axes.scatter(*points.T, color=BLUE, zorder=3)
    for name, (size, value) in zip(variants, points, strict=True):
        place, side = ((-8, 8), "right") if size > 0.6 * width else ((8, 5), "left")
        axes.annotate(name, (size, value), place, textcoords="offset points", ha=side)
    axes.set(xlim=(0, 1.08 * width), ylim=(-0.1 * height, 1.2 * height))
    axes.set(xlabel="size of the model (MB)", ylabel="KL divergence (thousandths of a nat)")
    axes.grid(alpha=0.3)
    _plain(axes)
    plt.show()


def _plain(*panels: Axes) -> None:
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
