"""Figures of notebook 11: a teacher's probabilities, which classes it confuses, and how students compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from minitorch._palette import BLUE, GREEN, PALE_GRAY, VERMILION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COLOURS = (BLUE, VERMILION, GREEN, PALE_GRAY)
STYLES, MARKERS = ("-", "--", "-.", ":"), ("o", "s", "^", "D")


def opinions(images: Any, labels: Sequence[int], said: Mapping[str, Any]) -> None:
    """Plot a row per image: the image, then bars for each array (N, C) of probabilities in `said`."""
    rows, columns = len(images), len(said) + 1
    _, panels = plt.subplots(
        rows,
        columns,
        figsize=(2.9 * columns - 1.2, 1.45 * rows + 0.5),
        width_ratios=[0.6] + [1] * len(said),
        sharey="col",
        layout="constrained",
        squeeze=False,
    )
    for i, row in enumerate(panels):
        row[0].imshow(images[i], cmap="gray_r", vmin=0, vmax=1)
        row[0].axis("off")
        for axes, (name, probabilities) in zip(row[1:], said.items(), strict=True):
            _bars(axes, np.asarray(probabilities[i]), labels[i])
            axes.set_title(name if i == 0 else "", fontsize=11)
            axes.tick_params(labelbottom=i == rows - 1)
    plt.show()


def _bars(axes: Axes, probabilities: np.ndarray, label: int) -> None:
    """Plot probabilities, with the bar of the label in another colour."""
    place = np.arange(len(probabilities))
    axes.bar(place, probabilities, color=[VERMILION if i == label else BLUE for i in place])
    axes.set(xticks=place, ylim=(0, 1.02), yticks=[0, 0.5, 1])
    axes.spines[["top", "right"]].set_visible(False)


def kinship(table: Any) -> None:
    """Plot a table (C, C) in per cent, a row per true class, darker where the teacher gives another class more."""
    table = 100 * np.asarray(table)
    classes = len(table)
    _, axes = plt.subplots(figsize=(6.2, 5.6), layout="constrained")
    axes.imshow(table, cmap="Blues", vmin=0, vmax=table.max())
    for i in range(classes):
        for j in range(classes):
            if i == j:
                axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor="0.88", hatch="//", edgecolor="0.7"))
            elif table[i, j] >= 0.5:
                colour = "white" if table[i, j] > 0.6 * table.max() else "black"
                axes.text(j, i, f"{table[i, j]:.0f}", ha="center", va="center", color=colour, fontsize=10)
    axes.set(xticks=range(classes), yticks=range(classes), xlabel="is also a bit of a ... (% of what is not its own)")
    axes.set_ylabel("a picture of a ...")
    plt.show()


def hills(positions: Any, teacher: Any, students: Mapping[str, Any]) -> None:
    """Plot a teacher's distribution over positions, filled, and the distributions of students as lines."""
    _, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    axes.fill_between(positions, teacher, color="0.85", label="teacher")
    for (name, probabilities), colour, style in zip(students.items(), COLOURS, STYLES, strict=False):
        axes.plot(positions, probabilities, color=colour, linestyle=style, linewidth=2, label=name)
    axes.set(xlabel="position", ylabel="probability", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    plt.show()


def sizes(temperatures: Any, named: Mapping[str, Any]) -> None:
    """Plot the norm of a gradient against the temperature, for several losses."""
    _, axes = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
    for (name, values), colour, style, marker in zip(named.items(), COLOURS, STYLES, MARKERS, strict=False):
        axes.loglog(temperatures, values, color=colour, linestyle=style, marker=marker, markersize=5, label=name)
    axes.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
    axes.minorticks_off()
    axes.set(xlabel="temperature", ylabel="norm of the gradient")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    plt.show()


def accuracies(scores: Mapping[tuple[int, str], Any], teacher: float) -> None:
    """Plot a dot per student and a line through the means, by number of images and kind of target.

    `scores` maps (images, kind) to the accuracies of several students in per cent; `teacher` is the teacher's accuracy.
    """
    counts, names = (list(dict.fromkeys(keys)) for keys in zip(*scores, strict=True))
    _, axes = plt.subplots(figsize=(9, 4.4), layout="constrained")
    for i, (name, colour, style, marker) in enumerate(zip(names, COLOURS, STYLES, MARKERS, strict=False)):
        place = np.arange(len(counts)) + 0.2 * (i - (len(names) - 1) / 2)
        groups = [np.asarray(scores[count, name]) for count in counts]
        for x, group in zip(place, groups, strict=True):
            axes.plot(np.full(len(group), x), group, marker, color=colour, markersize=4, alpha=0.35, linestyle="none")
        means = [group.mean() for group in groups]
        axes.plot(place, means, marker, color=colour, linestyle=style, markersize=8, linewidth=2, label=name)
    axes.axhline(teacher, color="0.4", linestyle=":", linewidth=1.5)
    axes.annotate("the teacher", (-0.4, teacher), (0, -4), textcoords="offset points", va="top")
    axes.set(xticks=range(len(counts)), xticklabels=[f"{count:,}" for count in counts], xlim=(-0.5, len(counts) - 0.5))
    axes.set(xlabel="pictures that the student learns from", ylabel="held-out digits read rightly (%)")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    plt.show()


def by_digit(named: Mapping[str, Any], marked: int) -> None:
    """Plot the accuracy for each digit of several models; one digit is marked."""
    _, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
    width = 0.8 / len(named)
    for i, ((name, shares), colour) in enumerate(zip(named.items(), COLOURS, strict=False)):
        place = np.arange(10) + (i - (len(named) - 1) / 2) * width
        axes.bar(place, 100 * np.asarray(shares), width * 0.92, color=colour, label=name)
    axes.axvspan(marked - 0.5, marked + 0.5, color="0.92", zorder=0)
    axes.set(xticks=range(10), xlabel="digit", ylabel="read rightly (%)", ylim=(0, 105))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=len(named))
    plt.show()
