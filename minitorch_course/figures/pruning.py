"""Figures of notebook 12: the distribution of weights, patterns of pruning, and the loss against sparsity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import NullFormatter

from minitorch._palette import BLACK, BLUE, GREEN, PINK, TINTS, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLOURS = (BLUE, VERMILION, GREEN, PINK, BLACK)
STYLES, MARKERS = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1))), ("o", "s", "^", "D", "v")
GONE = TINTS[VERMILION]
KEPT_OR_GONE = ListedColormap([GONE, COLOURS[0]])


def spread(weights: Any, shares: Sequence[float]) -> None:
    """Plot a histogram of the weights, with the band around zero that each sparsity removes."""
    weights = np.asarray(weights).ravel()
    _, panels = plt.subplots(1, len(shares), figsize=(11, 3), sharey=True, layout="constrained")
    bins = np.linspace(weights.min(), weights.max(), 81)
    for axes, share in zip(panels, shares, strict=True):
        edge = np.quantile(np.abs(weights), share)
        axes.axvspan(-edge, edge, color=GONE)
        axes.hist(weights, bins, color=COLOURS[0])
        axes.set(title=f"{100 * share:.0f} % are below {edge:.2f}", xlabel="weight", xlim=(bins[0], bins[-1]))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("number of weights")
    plt.show()


def patterns(weights: Any) -> None:
    """Plot three ways to keep half of the weights (8, 8).

    The ways: the largest weights, the larger two of every four inputs, and the largest four neurons. Inputs run from
    top to bottom, outputs from left to right.
    """
    sizes = np.abs(np.asarray(weights))
    norms = np.linalg.norm(sizes, axis=0)
    rank = sizes.reshape(2, 4, 8).argsort(axis=1).argsort(axis=1)
    masks = {
        "any weights": sizes >= np.median(sizes),
        "2 of 4 inputs": rank.reshape(8, 8) >= 2,
        "whole neurons": np.broadcast_to(norms >= np.median(norms), (8, 8)),
    }
    _, panels = plt.subplots(1, 3, figsize=(9, 3.7), layout="constrained")
    for axes, (name, mask) in zip(panels, masks.items(), strict=True):
        axes.pcolormesh(mask[::-1], cmap=KEPT_OR_GONE, vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
        axes.set(title=name, xticks=[], yticks=[], xlabel="outputs", aspect="equal")
    panels[0].set_ylabel("inputs")
    plt.show()


def against_sparsity(
    sparsities: Sequence[float],
    losses: Mapping[str, Sequence[float]],
    ylabel: str,
    dense: float,
    xlabel: str = "weights that are gone (%)",
) -> None:
    """Plot the loss of several pruning methods against sparsity, with a line at the loss of the dense model."""
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    place = np.arange(len(sparsities))
    axes.axhline(dense, color="0.5", linewidth=1)
    axes.text(1.01, dense, "the whole\nmodel", transform=axes.get_yaxis_transform(), color="0.35", va="center")
    for (name, values), colour, style, marker in zip(losses.items(), COLOURS, STYLES, MARKERS, strict=False):
        axes.semilogy(place, values, color=colour, linestyle=style, marker=marker, markersize=5, label=name)
    axes.set_xticks(place, [f"{100 * s:g}" for s in sparsities])
    axes.set(xlabel=xlabel, ylabel=ylabel)
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}" if high < 10 * low else NullFormatter())
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()
