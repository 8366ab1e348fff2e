"""Plots of how much tokens shorten a text, for notebook 06 and its lecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GREEN, PINK, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS = (BLUE, VERMILION, GREEN, PINK)
STYLES, MARKERS = ("-", "--", "-.", (0, (1, 1))), ("o", "s", "^", "D")


def tokens_per_byte(sizes: Sequence[int], rates: Mapping[str, Sequence[float]]) -> None:
    """Plot tokens per byte of several texts against the vocabulary size."""
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for (name, values), colour, style, marker in zip(rates.items(), COLOURS, STYLES, MARKERS, strict=False):
        axes.plot(sizes, values, color=colour, linestyle=style, marker=marker, markersize=4, label=name)
    _sized(axes, sizes)
    axes.set(ylabel="tokens per byte", ylim=(0, 1.05))
    axes.legend(frameon=False)
    plt.show()


def bits(sizes: Sequence[int], per_token: Sequence[float], per_byte: Sequence[float]) -> None:
    """Plot the same losses per token and per byte, against the vocabulary size."""
    _, panels = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for axes, values, name, colour, style in zip(
        panels, (per_token, per_byte), ("bits per token", "bits per byte"), COLOURS, STYLES, strict=False
    ):
        axes.plot(sizes, values, color=colour, linestyle=style, marker="o", markersize=4)
        _sized(axes, sizes)
        axes.set_ylabel(f"{name}, on held-out text")
    best = int(np.argmin(per_byte))
    panels[1].annotate(
        f"{per_byte[best]:.2f}", (sizes[best], per_byte[best]), (0, 10), textcoords="offset points", ha="center"
    )
    plt.show()


def _sized(axes: Any, sizes: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.tick_params(axis="x", labelrotation=45)
    axes.set_xlabel("size of the vocabulary")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def languages(counts: Mapping[str, tuple[int, int, int]]) -> None:
    """Plot the number of characters, bytes and tokens of one sentence in several languages."""
    _, axes = plt.subplots(figsize=(8, 0.5 * len(counts) + 1.4), layout="constrained")
    place = np.arange(len(counts))
    for i, (name, colour) in enumerate(zip(("characters", "bytes", "tokens"), ("0.75", *COLOURS), strict=False)):
        bars = axes.barh(
            place + 0.27 * (i - 1), [count[i] for count in counts.values()], 0.25, color=colour, label=name
        )
        axes.bar_label(bars, padding=3, fontsize=9)
    axes.set_yticks(place, list(counts))
    axes.invert_yaxis()
    axes.set_xlabel("number of characters, bytes and tokens")
    axes.margins(x=0.08)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()
