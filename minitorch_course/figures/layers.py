"""Figures of notebook 03: activations, losses, signals through depth, layer norm, training, loss landscapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Circle

from minitorch._palette import BLUE, GREEN, PINK, SKY, VERMILION
from minitorch.autodiff import grad
from minitorch.ops import sum as total

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRAY = "#7f7f7f"
COLOURS = (VERMILION, PINK, BLUE, SKY, GREEN)
STYLES = ("-", "-.", "-", (0, (4, 4)), "-")
GUESSING = math.log(10)  # nats, for ten classes

Measured = tuple[Sequence[float], Sequence[float]]  # A mean square for each layer, of the signal and of the gradient.


def relay(people: int = 30) -> None:
    """Plot what is left of a signal that is multiplied by a factor at each of several people."""
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    count = np.arange(people + 1)
    for factor, colour, style in ((1.1, VERMILION, "--"), (1.0, GREEN, "-"), (0.9, BLUE, "-.")):
        axes.semilogy(count, factor**count, color=colour, linestyle=style, linewidth=2)
        axes.text(people + 0.5, factor**people, f"each {factor:g}: {factor**people:.3g}", va="center")
    axes.set(xlabel="people", ylabel="loudness", xlim=(0, people * 1.3))
    axes.set_xticks(range(0, people + 1, 5))
    _tidy(axes)
    plt.show()


def activations(functions: Mapping[str, Callable[[Any], Any]]) -> None:
    """Plot functions of one number, and their derivatives."""
    x = jnp.linspace(-4, 4, 401)
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for (name, function), colour, style in zip(functions.items(), (VERMILION, BLUE), ("--", "-"), strict=False):
        left.plot(x, function(x), color=colour, linestyle=style, label=name)
        right.plot(x, grad(lambda x, f=function: total(f(x)))(x), color=colour, linestyle=style, label=name)
    left.set(xlabel="x", ylabel="what comes out", ylim=(-0.6, 4))
    right.set(xlabel="x", ylabel="slope")
    _tidy(left, right)
    left.legend(frameon=False)
    plt.show()


def loss_gradients() -> None:
    """Plot squared error and cross entropy of two classes, and their gradients, against the margin."""
    lead = np.linspace(-8, 8, 401)
    p = 1 / (1 + np.exp(-lead))
    curves = (
        ("squared error", 2 * (1 - p) ** 2, 4 * p * (1 - p) ** 2, VERMILION, "--"),
        ("cross entropy", -np.log(p), 1 - p, BLUE, "-"),
    )
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name, loss, slope, colour, style in curves:
        left.plot(lead, loss, color=colour, linestyle=style, label=name)
        right.plot(lead, slope, color=colour, linestyle=style)
    left.set(ylabel="loss", ylim=(0, 6))
    right.set(ylabel="size of the gradient of the right score", ylim=(-0.05, 1.15))
    for axes in (left, right):
        axes.set_xlabel("score of the right class minus the other's")
        axes.axvspan(-8, -3, color=GRAY, alpha=0.15, linewidth=0)
    left.text(-7.7, 0.25, "sure and wrong")
    right.text(-7.7, 0.25, "sure and wrong")
    _tidy(left, right)
    left.legend(frameon=False, loc="upper right")
    plt.show()


def through_depth(measured: Mapping[tuple[str, str], Measured]) -> None:
    """Plot the mean squares of signal and gradient at every layer.

    Activations are rows of panels, initialisations are lines: (activation, initialisation) -> measurements.
    """
    rows, names = list(dict.fromkeys(bend for bend, _ in measured)), list(dict.fromkeys(name for _, name in measured))
    figure, panels = plt.subplots(
        len(rows), 2, figsize=(10, 3.3 * len(rows)), sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    for (left, right), bend in zip(panels, rows, strict=True):
        for name, colour, style in zip(names, COLOURS, STYLES, strict=False):
            for axes, values in zip((left, right), measured[bend, name], strict=True):
                axes.semilogy(range(1, len(values) + 1), values, color=colour, linestyle=style, label=name, linewidth=2)
        left.set(ylabel=f"{bend}: mean square", title=f"{bend}: signal, forwards →")
        right.set_title(f"{bend}: gradient, ← backwards")
    panels[0, 0].set_ylim(1e-13, 1e13)
    for axes in panels[-1]:
        axes.set_xlabel("layer")
    _tidy(*panels.flat)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names), frameon=False
    )
    plt.show()


def funnel(widths: Sequence[int], measured: Mapping[str, Measured]) -> None:
    """Plot the mean squares of signal and gradient in layers of decreasing width, a line per initialisation."""
    _, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
    for (name, pair), colour, style in zip(measured.items(), (BLUE, GREEN, VERMILION), ("-", "-", "--"), strict=False):
        for axes, values in zip(panels, pair, strict=True):
            axes.loglog(widths[1:], values, base=2, color=colour, linestyle=style, label=name, linewidth=2)
    panels[0].set(ylabel="mean square", title="signal, forwards →")
    panels[1].set(title="gradient, ← backwards")
    for axes in panels:
        axes.set_xlabel("units in the layer")
        axes.set_xlim(widths[1] * 1.1, widths[-1] / 1.1)  # The way of the signal is to the right.
        axes.xaxis.set_major_formatter(lambda width, _: f"{width:.0f}")
    _tidy(*panels)
    panels[1].legend(frameon=False)
    plt.show()


def circle(normalize: Callable[[Any], Any]) -> None:
    """Plot rows of three numbers before and after normalisation onto a circle, and how a gradient passes through it.

    The plane is that of the rows with sum 0.
    """
    plane = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    angles, radii = np.radians([20, 75, 110, 160, 215, 260, 315]), np.array([3.1, 0.7, 2.6, 1.1, 2.9, 0.6, 1.2])
    points = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)  # (N, 2)
    landed = np.asarray(normalize(jnp.asarray(points @ plane, jnp.float32))) @ plane.T
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
    _plane(left, right)
    for start, end in zip(points, landed, strict=True):
        _arrow(left, start, end, BLUE)
    left.plot(*points.T, "o", color=GRAY, label="centred rows")
    left.plot(*landed.T, "o", color=BLUE, label="normalised rows")
    left.set_title("forwards: out, or in, onto the circle")
    left.legend(frameon=False, loc="lower left")
    _split_arrow(right, landed[0], np.array([0.3, 1.5]))
    plt.show()


def _plane(*panels: Axes) -> None:
    for axes in panels:
        axes.add_patch(Circle((0, 0), math.sqrt(3), fill=False, color=GRAY))
        axes.plot(0, 0, "+", color=GRAY)
        axes.set(xlim=(-3.4, 3.6), ylim=(-3.0, 3.0), aspect="equal")
        axes.set(xlabel="along (1, -1, 0)", ylabel="along (1, 1, -2)")
        axes.spines[["top", "right"]].set_visible(False)


def _split_arrow(axes: Axes, point: np.ndarray, g: np.ndarray) -> None:
    """Plot the parts of the gradient `g` along the ray through `point` and along the circle."""
    ray = point / np.linalg.norm(point)
    lost = (g @ ray) * ray
    for text, arrow, colour, place in (
        ("g, what the point received", g, VERMILION, (0.2, 2.35)),
        ("lost: along the ray", lost, GRAY, (1.9, 0.25)),
        ("reaches x: along the circle", g - lost, GREEN, (-2.9, 1.95)),
    ):
        _arrow(axes, point, point + arrow, colour)
        axes.text(*place, text)
    axes.plot([0, point[0]], [0, point[1]], color=GRAY, linestyle=":")
    axes.plot(*np.stack([point + g, point + g - lost]).T, color=GRAY, linestyle=":")
    axes.plot(*point, "o", color=BLUE)
    axes.set_title("backwards: only the tangent comes through")


def _arrow(axes: Axes, start: np.ndarray, end: np.ndarray, colour: str) -> None:
    axes.annotate("", tuple(end), tuple(start), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})


def races(losses: Mapping[str, Any], window: int = 10) -> None:
    """Plot the losses of several training runs, as means of `window` steps."""
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    kernel = np.ones(window) / window
    for (name, values), colour, style in zip(
        losses.items(), (VERMILION, PINK, BLUE, GREEN), ("--", ":", "-.", "-"), strict=False
    ):
        smooth = np.convolve(np.asarray(values), kernel, mode="valid")
        axes.semilogy(
            np.arange(window, len(values) + 1), smooth, color=colour, linestyle=style, label=name, linewidth=2
        )
    axes.axhline(GUESSING, color=GRAY, linewidth=1)
    axes.text(len(next(iter(losses.values()))), GUESSING * 1.06, "guessing: ln 10", ha="right")
    axes.set(xlabel="step", ylabel=f"loss (nats, mean of {window} steps)")
    _tidy(axes)
    axes.legend(frameon=False, loc="lower left")
    plt.show()


def training(losses: Any, logits: Any, images: Any, labels: Any, count: int = 12) -> None:
    """Plot the loss of every step, and the first `count` held-out images that were misclassified."""
    read, labels = np.asarray(logits).argmax(-1), np.asarray(labels)
    wrong = np.flatnonzero(read != labels)
    figure = plt.figure(figsize=(10, 3.8), layout="constrained")
    left, right = (figure.add_subfigure(place) for place in figure.add_gridspec(1, 2))
    axes = left.subplots()
    axes.semilogy(np.asarray(losses), color=BLUE, linewidth=0.8)
    axes.axhline(GUESSING, color=GRAY, linewidth=1)
    axes.text(len(losses), GUESSING * 1.15, "guessing: ln 10", ha="right")
    axes.set(xlabel="step", ylabel="loss (nats)")
    _tidy(axes)
    right.suptitle(f"misread: {len(wrong)} of {len(labels)}")
    for tile in right.subplots(3, count // 3).flat:
        tile.axis("off")
    for tile, i in zip(right.axes, wrong, strict=False):
        tile.imshow(np.reshape(images[i], (8, 8)), cmap="gray_r")
        tile.set_title(f"{labels[i]}, read {read[i]}", fontsize=10)
    plt.show()


def landscapes(slices: Mapping[str, tuple[Any, Any]]) -> None:
    """Plot losses on squares around trained weights as contour lines, at the same levels in every panel."""
    levels = np.geomspace(0.05, 200, 16)
    figure, panels = plt.subplots(1, len(slices), figsize=(5.2 * len(slices), 4.6), sharey=True, layout="constrained")
    for axes, (name, (steps, losses)) in zip(np.atleast_1d(panels), slices.items(), strict=True):
        losses = np.asarray(losses)
        filled = axes.contourf(steps, steps, losses, levels=levels, norm=LogNorm(), cmap="cividis", extend="both")
        axes.contour(steps, steps, losses, levels=levels, colors="white", linewidths=0.6)
        axes.plot(0, 0, "*", color="white", markersize=12, markeredgecolor="black")
        axes.set(title=name, xlabel="step along u, relative to the weights", aspect="equal")
    np.atleast_1d(panels)[0].set_ylabel("step along v")
    ticks = [0.05, 0.2, 1, 5, 20, 100, 200]
    bar = figure.colorbar(filled, ax=panels, label="loss (nats)", ticks=ticks)
    bar.ax.set_yticklabels([f"{tick:g}" for tick in ticks])
    plt.show()


def valley(loss: Callable[[Any], Any], model: Any, directions: Mapping[str, Any], curvature: Any) -> None:
    """Plot the loss along directions of length 1, and the parabola of the given curvature along the first."""
    steps = np.linspace(-1, 1, 61) * math.sqrt(0.5 / float(curvature))  # Far enough for the parabola to rise by 1/4.

    @jax.jit
    def along(direction: Any) -> Any:
        return jax.lax.map(lambda step: loss(jax.tree.map(lambda w, v: w + step * v, model, direction)), steps)

    losses = {name: np.asarray(along(direction)) for name, direction in directions.items()}
    first = next(iter(losses.values()))
    slope = (first[31] - first[29]) / (steps[31] - steps[29])
    parabola = first[30] + slope * steps + float(curvature) / 2 * steps**2
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for (name, values), colour in zip(losses.items(), (VERMILION, BLUE), strict=False):
        axes.plot(steps, values, color=colour, label=f"{name} direction", linewidth=2)
    axes.plot(
        steps, parabola, color="black", linestyle="--", linewidth=1, label=f"parabola of curvature {curvature:.2g}"
    )
    axes.set(xlabel="distance in the space of the weights", ylabel="loss (nats)")
    _tidy(axes)
    axes.legend(frameon=False)
    plt.show()


def _tidy(*panels: Axes) -> None:
    for axes in panels:
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
