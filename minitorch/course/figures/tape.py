"""Figures of notebook 02: the tape as a graph, the gradient check, a training run, digits and weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from ...autodiff.picture import Picture, draw
from ...autodiff.scalar import Scalar

BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"  # From Okabe and Ito's palette.


def scalar_tape(tape: Sequence[Any], grads: Sequence[float]) -> Picture:
    """A tape of rows (op, args, value), with the gradient of each, as a graph."""
    nodes: list[Scalar] = []
    for (op, args, value), grad in zip(tape, grads, strict=True):
        nodes.append(Scalar(value, op, tuple(nodes[i] for i in args)))
        nodes[-1].grad = grad
    return draw(nodes[-1])


def gradient_check(
    measure: Callable[[float], Any], truth: float, one_sided: Callable[[float], Any]
) -> None:
    """The relative error of two measured slopes against the size of the step."""
    steps = np.logspace(-6, 0, 25)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, slope, colour in (("one-sided", one_sided, ORANGE), ("central", measure, BLUE)):
        errors = [abs(float(slope(h)) / truth - 1) for h in steps.tolist()]
        axes.loglog(steps, errors, "o-", color=colour, label=name)
    axes.set(xlabel="step h", ylabel="relative error of the measured slope")
    axes.legend()
    axes.grid(alpha=0.3)
    plt.show()


def training(losses: Sequence[float], accuracies: Sequence[float]) -> None:
    """The loss of every step and the held-out accuracy of every epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.semilogy(losses, color=BLUE, linewidth=0.8)
    left.set(xlabel="step", ylabel="loss (nats)")
    right.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], color=GREEN)
    right.axhline(95, color="gray", linestyle="--", linewidth=1)
    right.set(xlabel="epoch", ylabel="held-out digits read rightly (%)")
    plt.show()


def digits(images: Any, labels: Any, probabilities: Any, count: int = 12) -> None:
    """Pictures with the digit that was read and its probability; wrong ones first, in orange."""
    probabilities = np.asarray(probabilities)
    read = probabilities.argmax(-1)
    order = np.argsort(read == labels, kind="stable")[:count]
    figure, rows = plt.subplots(2, count // 2, figsize=(9, 3.8), layout="constrained")
    for axes, i in zip(rows.flat, order, strict=True):
        axes.imshow(np.reshape(images[i], (8, 8)), cmap="gray_r")
        right = read[i] == labels[i]
        text = f"read {read[i]} ({100 * probabilities[i, read[i]]:.0f} %)" + ("" if right else f"\nwas {labels[i]}")
        axes.set_title(text, fontsize=10, color="black" if right else ORANGE)
        axes.axis("off")
    plt.show()


def weights(matrix: Any) -> None:
    """The columns of a (64, 64) matrix, each as a picture of what one hidden unit looks for."""
    matrix = np.asarray(matrix)
    limit = np.abs(matrix).max()
    figure, rows = plt.subplots(4, 16, figsize=(9, 2.6), layout="constrained")
    for axes, column in zip(rows.flat, matrix.T, strict=True):
        axes.imshow(column.reshape(8, 8), cmap="PuOr_r", vmin=-limit, vmax=limit)
        axes.axis("off")
    plt.show()
