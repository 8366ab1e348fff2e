"""Figures of notebook 04: paths on surfaces, clipping, Adam's first steps, schedules, training, a landscape, Muon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from jax.flatten_util import ravel_pytree

from minitorch._palette import BLUE, GREEN, PINK, VERMILION

from . import digits
from .smoothing import trailing_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COLOURS = (BLUE, VERMILION, GREEN, PINK)
STYLES = ("-", "--", "-.", (0, (1, 1)))
Window = tuple[tuple[float, float], tuple[float, float]]
Point = tuple[float, float]


def ravine(rates: Sequence[float], start: Point = (10.0, 1.0), steps: int = 50) -> None:
    """Plot gradient descent on (x^2 + 25 y^2) / 2 at several learning rates, from its closed form."""
    count = np.arange(steps + 1)
    _, panels = plt.subplots(1, len(rates), figsize=(11, 3.2), sharey=True, layout="constrained")
    for axes, rate, colour in zip(panels, rates, COLOURS, strict=False):
        path = np.stack([start[0] * (1 - rate) ** count, start[1] * (1 - 25 * rate) ** count], 1)
        _surface(axes, lambda p: (p[0] ** 2 + 25 * p[1] ** 2) / 2, ((-3, 11), (-4, 4)), (0, 0))
        axes.plot(*path.T, "o-", color=colour, markersize=3, linewidth=1)
        axes.set(title=f"learning rate {rate}", xlabel="x")
    panels[0].set_ylabel("y")
    plt.show()


def velocities(decay: float = 0.9, steps: int = 40) -> None:
    """Plot the velocity of momentum for constant gradients, and for gradients of alternating sign."""
    step = np.arange(steps)
    _, panels = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    for axes, gradients, title in zip(
        panels, (np.ones(steps), (-1.0) ** step), ("gradients that agree", "gradients that quarrel"), strict=True
    ):
        velocity = np.convolve(gradients, decay**step)[:steps]
        axes.plot(step, velocity, "o-", color=COLOURS[0], markersize=3, linewidth=1, label="velocity")
        axes.plot(step, gradients, "s", color=COLOURS[1], markersize=3, label="gradient")
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.3)
    panels[0].legend(loc="center right")
    panels[0].set_ylim(0, None)
    plt.show()


def clipping(gradient: Point = (6.0, 2.5), limit: float = 2.0) -> None:
    """Plot a gradient of two numbers, clipped by norm and clipped by value."""
    long = np.array(gradient)
    arrows = {
        "the gradient": (long, "0.55"),
        "shortened: the same direction": (long * limit / np.linalg.norm(long), COLOURS[0]),
        "each number cut: another direction": (np.clip(long, -limit, limit), COLOURS[1]),
    }
    figure, axes = plt.subplots(figsize=(10, 3.6), layout="constrained")
    circle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(limit * np.cos(circle), limit * np.sin(circle), ":", color="black", label=f"length {limit:g}")
    for name, (arrow, colour) in arrows.items():
        axes.quiver(0, 0, *arrow, angles="xy", scale_units="xy", scale=1, color=colour, width=0.008, label=name)
    axes.set(xlim=(-2.4, 6.6), ylim=(-2.3, 3), aspect="equal", xlabel="first number", ylabel="second number")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center")
    plt.show()


def paths(
    loss: Callable[[Any], Any],
    transforms: Mapping[str, Any],
    start: Point,
    steps: int,
    window: Window,
    goal: Point = (0.0, 0.0),
) -> None:
    """Plot the path of each optimizer on contour lines, and the losses of all optimizers."""
    rows = "01;2L" if len(transforms) == 3 else "01L;23L"
    _, panels = plt.subplot_mosaic(rows, figsize=(11, 6), layout="constrained")
    for i, (name, transform) in enumerate(transforms.items()):
        path, losses = _descend(loss, transform, start, steps)
        _surface(panels[str(i)], loss, window, goal)
        panels[str(i)].plot(*path.T, "o-", color=COLOURS[i], markersize=2.5, linewidth=1)
        panels[str(i)].set(title=name, xlabel="x", ylabel="y")
        panels["L"].semilogy(losses, color=COLOURS[i], linestyle=STYLES[i], label=name)
    panels["L"].set(xlabel="step", ylabel="loss")
    panels["L"].grid(alpha=0.3)
    panels["L"].legend()
    plt.show()


def _descend(loss: Callable[[Any], Any], transform: Any, start: Point, steps: int) -> tuple[np.ndarray, list[float]]:
    """Return the points (steps + 1, 2) that an optimizer visits, and their losses."""

    @jax.jit
    def step(point: Any, state: Any) -> Any:
        updates, state = transform.update(jax.grad(loss)(point), state, point)
        return point + updates, state

    points = [jnp.array(start)]
    state = transform.init(points[0])
    for _ in range(steps):
        point, state = step(points[-1], state)
        points.append(point)
    return np.stack(points), [float(loss(point)) for point in points]


def _surface(axes: Any, loss: Callable[[Any], Any], window: Window, goal: Point) -> None:
    """Plot contour lines, each twice as high as the one inside it, and a star at the minimum."""
    (left, right), (bottom, top) = window
    x, y = np.meshgrid(np.linspace(left, right, 121), np.linspace(bottom, top, 121))
    heights = np.asarray(loss(np.stack([x, y])))
    levels = heights.max() / 2.0 ** np.arange(12, -1, -1)
    axes.contour(x, y, heights, levels=levels, colors="0.75", linewidths=0.8)
    axes.plot(*goal, "*", color="black", markersize=10)
    axes.set(xlim=window[0], ylim=window[1])


def first_steps(adam: Any, count: int = 3000, b1: float = 0.9, b2: float = 0.999) -> None:
    """Plot Adam's steps for a constant gradient of 4, with and without bias correction."""
    update, state, sizes = jax.jit(adam.update), adam.init(jnp.array(0.0)), []
    for _ in range(count):
        size, state = update(jnp.array(4.0), state, jnp.array(0.0))
        sizes.append(size)
    step = np.arange(1, count + 1)
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    raw = (1 - b1**step) / np.sqrt(1 - b2**step)
    axes.semilogx(step, raw, color=COLOURS[1], linestyle="--", label="without the correction")
    axes.semilogx(step, np.stack(sizes), color=COLOURS[0], label="yours")
    axes.set(xlabel="step", ylabel="size of the step (learning rates)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def schedules(named: Mapping[str, Callable[[Any], Any]], total: int) -> None:
    """Plot learning rates over time."""
    step = np.arange(total)
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for (name, schedule), colour, style in zip(named.items(), COLOURS, STYLES, strict=False):
        axes.plot(step, np.asarray(schedule(step)), color=colour, linestyle=style, label=name)
    axes.set(xlabel="finished steps", ylabel="learning rate", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def training(losses: Mapping[str, Sequence[float]], scores: Mapping[str, Sequence[float]]) -> None:
    """Plot the smoothed training loss per step and the held-out accuracy per epoch of several optimizers."""
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name, colour, style in zip(losses, COLOURS, STYLES, strict=False):
        left.semilogy(trailing_mean(losses[name], 23), color=colour, linestyle=style, label=name)
        right.plot(100 * np.asarray(scores[name]), color=colour, linestyle=style, label=name)
    left.set(xlabel="step", ylabel="training loss (nats), mean of 23 steps")
    right.axhline(97, color="0.5", linewidth=1)
    right.set(xlabel="epoch", ylabel="held-out digits read rightly (%)", ylim=(85, 100))
    right.xaxis.get_major_locator().set_params(integer=True)
    left.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    plt.show()


def race(losses: Mapping[str, Sequence[float]]) -> None:
    """Plot smoothed training losses."""
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for (name, values), colour, style in zip(losses.items(), COLOURS, STYLES, strict=False):
        axes.semilogy(trailing_mean(values, 23), color=colour, linestyle=style, label=name)
    axes.set(xlabel="step", ylabel="training loss (nats), mean of 23 steps")
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def misread(model: Callable[[Any], Any], images: Any, labels: Any, count: int = 8) -> None:
    """Plot held-out digits that a model misclassifies, `count` at most."""
    read = np.asarray(model(images)).argmax(-1)
    wrong = np.flatnonzero(read != labels)[:count]
    if len(wrong):
        digits.show(np.asarray(images)[wrong], [f"read {read[i]}\nwas {labels[i]}" for i in wrong], len(wrong))


def landscape(loss: Callable[[Any], Any], runs: Mapping[str, Sequence[Any]], size: int = 33) -> None:
    """Plot the loss on the plane through the common start of two runs and their ends, and both paths on it."""
    (start, *_), _ = runs.values()
    origin, unravel = ravel_pytree(start)
    ways = {name: np.stack([ravel_pytree(model)[0] - origin for model in models]) for name, models in runs.items()}
    plane = np.linalg.qr(np.stack([way[-1] for way in ways.values()], 1))[0]  # (parameters, 2), orthonormal
    plane = plane * np.sign(sum(way[-1] for way in ways.values()) @ plane)  # so that both go right and up
    dropped = {name: way @ plane for name, way in ways.items()}
    ends = np.concatenate(list(dropped.values()))
    margin = 0.25 * np.ptp(ends, axis=0)
    axis_x, axis_y = np.linspace(ends.min(0) - margin, ends.max(0) + margin, size).T
    grid = np.stack(np.meshgrid(axis_x, axis_y), -1)
    heights = jax.lax.map(lambda at: loss(unravel(origin + jnp.asarray(plane) @ at)), jnp.asarray(grid).reshape(-1, 2))
    _landscape_picture(axis_x, axis_y, np.asarray(heights).reshape(size, size), dropped)


def _landscape_picture(x: np.ndarray, y: np.ndarray, heights: np.ndarray, dropped: Mapping[str, np.ndarray]) -> None:
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    filled = axes.contourf(x, y, np.log10(heights), levels=24, cmap="Greys", alpha=0.7)
    bar = figure.colorbar(filled, label="training loss (nats)", ticks=[-3, -2, -1, 0, 1])
    bar.ax.set_yticklabels(["0.001", "0.01", "0.1", "1", "10"])
    for (name, way), colour, marker in zip(dropped.items(), COLOURS, "os", strict=False):
        axes.plot(*way.T, marker=marker, color=colour, markersize=4, linewidth=1, label=name)
    axes.set(xlabel="distance in the plane", ylabel="distance in the plane")
    axes.legend()
    plt.show()


def singular_values(gradient: Any, orthogonal: Any) -> None:
    """Plot the singular values of a gradient, its signs and its orthogonalised form, relative to the largest."""
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    named = {"Muon": orthogonal, "Adam's first step (signs)": np.sign(gradient), "gradient": gradient}
    for (name, matrix), colour, style in zip(named.items(), COLOURS, STYLES, strict=False):
        values = np.linalg.svd(np.asarray(matrix), compute_uv=False)
        axes.semilogy(range(1, len(values) + 1), values / values[0], color=colour, linestyle=style, label=name)
    axes.set(xlabel="direction, from the strongest to the weakest", ylabel="singular value / largest", ylim=(1e-4, 2))
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()
