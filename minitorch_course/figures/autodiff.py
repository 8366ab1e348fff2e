"""Plots of notebook 02: derivatives, the gradient check, a training run, classified digits, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GRAY, GREEN, VERMILION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROWS, COLUMNS = 2, 6  # Digits shown.


def curves(x: Any, values: Mapping[str, Any]) -> None:
    """Plot several functions of `x`."""
    _, axes = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
    for (name, y), colour, style in zip(
        values.items(), (GRAY, BLUE, VERMILION, GREEN), ("-", "-", "--", "-."), strict=False
    ):
        axes.plot(x, y, style, color=colour, label=name)
    axes.set(xlabel="x", ylabel="value")
    axes.legend()
    axes.grid(alpha=0.3)
    plt.show()


def gradient_check(curves: Mapping[str, tuple[Callable[[float], Any], Any]]) -> None:
    """Plot the relative error of measured slopes against the step size.

    A curve is a pair: a function from the step to the measured slope, and the slope to compare with.
    """
    steps = np.logspace(-5, 0, 26)
    _, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for (name, (measure, claim)), colour, mark in zip(curves.items(), (BLUE, GREEN, VERMILION), "osd", strict=False):
        errors = [abs(float(measure(h)) / float(claim) - 1) for h in steps.tolist()]
        axes.loglog(steps, np.maximum(errors, 1e-7), f"{mark}-", color=colour, label=name, markersize=4)
    axes.set(xlabel="step h", ylabel="relative difference, measured and claimed")
    axes.legend()
    axes.grid(alpha=0.3)
    plt.show()


def training(losses: Sequence[float], accuracies: Sequence[float]) -> None:
    """Plot the loss of every step with its mean per epoch, and the held-out accuracy of every epoch."""
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    size = len(losses) // len(accuracies)
    epochs = np.reshape(losses, (-1, size))
    left.semilogy(losses, color=BLUE, linewidth=0.5, alpha=0.4, label="each batch")
    left.semilogy(size * (np.arange(len(epochs)) + 0.5), epochs.mean(1), color=BLUE, label="mean of an epoch")
    left.set(xlabel="step", ylabel="loss (nats)")
    left.legend()
    right.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], "o-", color=GREEN, markersize=3)
    right.axhline(95, color=GRAY, linestyle="--", linewidth=1)
    right.set(xlabel="epoch", ylabel="held-out digits read rightly (%)")
    plt.show()


def digits(images: Any, labels: Any) -> None:
    """Plot the first images with their labels."""
    _show(images, [f"a {label}" for label in labels[: ROWS * COLUMNS]], ["black"] * ROWS * COLUMNS)


def read(images: Any, labels: Any, probabilities: Any) -> None:
    """Plot images with the predicted digit and its probability: a row of errors, then a row of correct ones."""
    probabilities = np.asarray(probabilities)
    guess = probabilities.argmax(-1)
    wrong = guess != labels
    order = np.concatenate([np.flatnonzero(wrong)[:COLUMNS], np.flatnonzero(~wrong)[:COLUMNS]])
    texts = [f"{guess[i]}, {100 * probabilities[i, guess[i]]:.0f} % sure" for i in order]
    texts = [f"{text}\nis a {labels[i]}" if wrong[i] else text for text, i in zip(texts, order, strict=True)]
    _show(images[order], texts, [VERMILION if wrong[i] else "black" for i in order])


def _show(images: Any, texts: Sequence[str], colours: Sequence[str]) -> None:
    _, panels = plt.subplots(ROWS, COLUMNS, figsize=(10, 4.2), layout="constrained")
    for axes, image, text, colour in zip(panels.flat, images, texts, colours, strict=False):
        axes.imshow(np.reshape(image, (8, 8)), cmap="gray_r")
        axes.set_title(text, fontsize=11, color=colour)
        axes.axis("off")
    plt.show()


def weights(matrix: Any) -> None:
    """Plot the largest 32 columns of a (64, N) matrix as images, one per hidden unit."""
    matrix = np.asarray(matrix)
    largest = np.argsort(-np.linalg.norm(matrix, axis=0))[:32]
    limit = float(np.abs(matrix).max()) * 0.7
    figure, panels = plt.subplots(2, 16, figsize=(11, 1.9), layout="constrained")
    for axes, i in zip(panels.flat, largest, strict=True):
        drawn = axes.imshow(matrix[:, i].reshape(8, 8), cmap="PuOr_r", vmin=-limit, vmax=limit)
        axes.axis("off")
    figure.colorbar(drawn, ax=panels, label="weight")
    plt.show()
