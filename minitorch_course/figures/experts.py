"""Figures of notebook 12: the routing of tokens, the load of the experts, and the gain of a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from minitorch._palette import BLUE, GRAY, GREEN, ORANGE, PINK, PURPLE, SKY, VERMILION, YELLOW

from .smoothing import trailing_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
EIGHT = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW, GRAY)


def routed(words: Sequence[str], panels: Mapping[str, Any]) -> None:
    """Plot words on the left, experts on the right, and lines as thick as the gates.

    `panels` maps a title to gates (N, E).
    """
    _, axes_of = plt.subplots(1, len(panels), figsize=(4.4 * len(panels), 3.4), layout="constrained", squeeze=False)
    for axes, (title, gates) in zip(axes_of[0], panels.items(), strict=True):
        _routed(axes, words, np.asarray(gates))
        axes.set_title(title)
    plt.show()


def _routed(axes: Axes, words: Sequence[str], gates: np.ndarray) -> None:
    N, E = gates.shape
    left, right = np.linspace(1, 0, N), np.linspace(0.95, 0.05, E)
    for i, word in enumerate(words):
        axes.text(-0.05, left[i], word, ha="right", va="center")
        for e in np.flatnonzero(gates[i]):
            axes.plot([0, 1], [left[i], right[e]], color=COLOURS[e % 4], linewidth=0.6 + 5 * gates[i, e], alpha=0.85)
    for e in range(E):
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": COLOURS[e % 4], "linewidth": 1.6}
        axes.text(1.05, right[e], f"expert {e}", va="center", bbox=box)
    axes.set(xlim=(-0.35, 1.5), ylim=(-0.1, 1.1))
    axes.axis("off")


def use(shares: Mapping[str, Any]) -> None:
    """Plot the share of tokens that each expert gets, step by step: arrays (steps, E), smoothed and stacked."""
    _, panels = plt.subplots(1, len(shares), figsize=(5.5 * len(shares), 3.4), sharey=True, layout="constrained")
    for axes, (name, values) in zip(np.atleast_1d(panels), shares.items(), strict=True):
        values = trailing_mean(100 * np.asarray(values), 10)
        even = values.sum(axis=1).mean() / values.shape[1]
        steps = np.linspace(0, len(values) - 1, min(len(values), 101)).astype(int)  # More cannot be seen.
        axes.stackplot(steps, values[steps].T, colors=EIGHT, edgecolor="white", linewidth=0.4)
        axes.set(title=name, xlabel="step", xlim=(0, len(values) - 1), ylim=(0, even * values.shape[1]))
        axes.set_yticks(even * np.arange(values.shape[1] + 1))
    np.atleast_1d(panels)[0].set_ylabel("share of the choices (%),\nexpert upon expert")
    plt.show()


def bought(models: Mapping[str, tuple[int, int, float]], ylabel: str) -> None:
    """Plot loss against active parameters: name -> (active, total, loss). The area of a circle is the total."""
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    largest = max(total for _, total, _ in models.values())
    for (name, (active, total, loss)), colour in zip(models.items(), COLOURS, strict=False):
        axes.scatter(active, loss, s=900 * total / largest, color=colour, alpha=0.35, edgecolor=colour)
        axes.plot(active, loss, "o", color=colour, markersize=4)
        axes.annotate(f"{name}, {total:,} in all", (active, loss), (20, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, 1.5 * max(active for active, _, _ in models.values()))
    axes.set_ylim(0, 1.15 * max(loss for _, _, loss in models.values()))
    axes.set(xlabel="numbers that work for a token", ylabel=ylabel)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()


def pages(paintings: Mapping[str, Any], maps: Mapping[str, Any]) -> None:
    """Plot gray-scale pages, and maps of the expert that each pixel is routed to, a colour per expert."""
    count = len(paintings) + len(maps)
    _, panels = plt.subplots(-(-count // 3), 3, figsize=(9, 3.2 * -(-count // 3)), layout="constrained")
    for axes in panels.flat:
        axes.axis("off")
    for axes, (title, page) in zip(panels.flat, paintings.items(), strict=False):
        axes.imshow(page, cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title)
    for axes, (title, chosen) in zip(panels.flat[len(paintings) :], maps.items(), strict=False):
        axes.imshow(np.asarray(chosen), cmap=ListedColormap(EIGHT), vmin=-0.5, vmax=7.5, interpolation="nearest")
        axes.set_title(title)
    plt.show()
