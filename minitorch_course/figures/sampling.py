"""Figures of notebook 09: next-token probabilities before and after a sampler, inverse sampling, rejection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GREEN, INK, PALE_GRAY, TINTS, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = tuple(TINTS.values())
Samplers = Mapping[str, Callable[[Any], Any]]


def bars(words: Sequence[str], moods: Mapping[str, Any], samplers: Samplers) -> None:
    """Plot the probabilities of the next token, from the model and after each sampler.

    `moods` maps a name to logits (V,), a row of panels each. Bars are sorted by descending probability; an outline
    shows the bar before the sampler.
    """
    rows, columns = len(moods), len(samplers) + 1
    size = (2.2 * columns + 0.4, 2.4 * rows + 0.4)
    _, panels = plt.subplots(rows, columns, figsize=size, sharey="row", layout="constrained", squeeze=False)
    for row, (mood, logits) in zip(panels, moods.items(), strict=True):
        logits = np.asarray(logits)
        order = np.argsort(-logits, kind="stable")
        before = softmax(logits)
        _panel(row[0], words, before, before, order, "as the model gives them")
        for axes, (name, sampler) in zip(row[1:], samplers.items(), strict=True):
            _panel(axes, words, softmax(np.asarray(sampler(logits))), before, order, name)
        row[0].set_ylabel(f"{mood}\nprobability" if mood else "probability")
    plt.show()


def _panel(axes: Axes, words: Sequence[str], now: np.ndarray, before: np.ndarray, order: np.ndarray, name: str) -> None:
    place, gone = np.arange(len(order)), now[order] == 0
    axes.bar(place, before[order], color="none", edgecolor=PALE_GRAY, linewidth=1, linestyle=":")
    axes.bar(place, now[order], color=BLUE)
    names = [str(words[i]) for i in order]
    axes.set_xticks(place, names, rotation=60, ha="right", rotation_mode="anchor")
    for label, is_gone in zip(axes.get_xticklabels(), gone, strict=True):
        label.set_color(PALE_GRAY if is_gone else INK)
    axes.set_title(name, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits (V,), some of which may be -inf."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def ruler(words: Sequence[str], probabilities: Any, darts: Sequence[float]) -> None:
    """Plot words as intervals of the line from 0 to 1, as wide as their probabilities, and darts that hit it."""
    probabilities = np.asarray(probabilities)
    ends = np.cumsum(probabilities)
    _, axes = plt.subplots(figsize=(10, 1.9), layout="constrained")
    for i, (word, width, end) in enumerate(zip(words, probabilities, ends, strict=True)):
        axes.barh(0, width, left=end - width, height=0.6, color=PALE[i % len(PALE)], edgecolor=INK, linewidth=0.8)
        if width > 0.05:
            axes.text(end - width / 2, 0, word, ha="center", va="center")
    for dart in darts:
        axes.annotate(
            f"{dart:g}",
            (dart, 0.3),
            (dart, 0.85),
            color=VERMILION,
            ha="center",
            fontweight="bold",
            arrowprops={"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.6},
        )
    axes.set(xlim=(0, ends[-1]), ylim=(-0.4, 1.15), yticks=[], xlabel="sum of the probabilities so far")
    axes.spines[["top", "left", "right"]].set_visible(False)
    plt.show()


def overlap(words: Sequence[str], draft: Any, target: Any) -> None:
    """Plot the probabilities of a draft model and its target.

    What they share is accepted. After a rejection, a token is sampled from the target's excess.
    """
    draft, target = np.asarray(draft), np.asarray(target)
    shared, place = np.minimum(draft, target), np.arange(len(words))
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    left.bar(place - 0.2, draft, 0.38, color=VERMILION, label="draft", hatch="//", edgecolor="white")
    left.bar(place + 0.2, target, 0.38, color=BLUE, label="target")
    right.bar(place, shared, color=GREEN, label=f"shared: accepted, {100 * shared.sum():.0f} %")
    more = target - shared
    right.bar(place, more, bottom=shared, color=BLUE, label="the target has more: drawn after a rejection")
    less = draft - shared
    over = less > 0  # An outline of height 0 would be a line.
    right.bar(
        place[over],
        less[over],
        bottom=shared[over],
        color="none",
        edgecolor=VERMILION,
        hatch="//",
        label="the draft has more: rejected",
    )
    top = max(draft.max(), target.max())
    for axes in (left, right):
        axes.set_xticks(place, words)
        axes.set_ylim(0, 1.5 * top)
        axes.legend(frameon=False, loc="upper right")
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("probability")
    plt.show()
