"""Figures of training runs: surprise, loss curves over a bound, a resumed run, scaling, time lost to failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GREEN, ORANGE, PINK, VERMILION

from .smoothing import trailing_mean

COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE)
STYLES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1)))
Rows = Sequence[Mapping[str, Any]]
FIRST = 10  # steps that a loss curve leaves out, for they would flatten the rest


def surprise() -> None:
    """Plot the loss against the probability of the token, and three distributions with their perplexities."""
    _, (left, *right) = plt.subplots(
        1, 4, figsize=(11, 3.3), layout="constrained", gridspec_kw={"width_ratios": [2.2, 1, 1, 1]}
    )
    p = np.linspace(0.003, 1, 400)
    left.plot(p, -np.log(p), color=COLOURS[0])
    for share, name in ((1 / 256, "one of 256"), (1 / 8, "one of 8"), (1 / 2, "a coin"), (1.0, "known")):
        left.plot(share, -np.log(share), "o", color=COLOURS[1])
        offset = (-12, 8) if share == 1 else (8, 0)
        left.annotate(
            name,
            (share, -np.log(share)),
            xytext=offset,
            textcoords="offset points",
            ha="right" if share == 1 else "left",
        )
    left.set(xlabel="probability of the token that came", ylabel="loss (nats)", ylim=(-0.3, 6))
    left.grid(alpha=0.3)
    guesses = np.ones(8) / 8, 0.5 ** np.arange(1, 9), np.array([0.93] + [0.01] * 7)
    for axes, guess, colour in zip(right, guesses, COLOURS, strict=False):
        guess = guess / guess.sum()
        axes.bar(range(8), guess, color=colour)
        axes.set(title=f"perplexity {np.exp(-(guess * np.log(guess)).sum()):.1f}", ylim=(0, 1), xticks=[])
        axes.set_xlabel("8 tokens")
    right[0].set_ylabel("probability")
    plt.show()


def curves(logs: Mapping[str, Rows], levels: Mapping[str, float], bound: float) -> None:
    """Plot smoothed training losses and validation losses (dots) of several runs, with baselines and the bound."""
    _, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    longest = 0
    for (name, rows), colour, style in zip(logs.items(), COLOURS, STYLES, strict=False):
        steps, losses = np.array([row["step"] for row in rows]), np.array([row["loss"] for row in rows])
        axes.plot(
            steps[FIRST:], trailing_mean(losses, 20)[FIRST:], color=colour, linestyle=style, linewidth=1.2, label=name
        )
        seen = [(row["step"], row["val_loss"]) for row in rows if "val_loss" in row]
        axes.plot(*np.array(seen).T, "o", color=colour, markersize=6)
        longest = max(longest, steps[-1])
    low = min([bound, *(row["loss"] for rows in logs.values() for row in rows)])
    for name, level in levels.items():
        if level < 4:
            axes.axhline(level, color="0.55", linewidth=0.8, zorder=0)
            axes.text(longest * 1.01, level, name, va="bottom", color="0.35", fontsize=9)
    axes.axhline(bound, color="black", linewidth=1.4, zorder=0)
    axes.text(longest * 1.01, bound, "the bound", va="bottom", fontsize=9, weight="bold")
    axes.set(xlabel="steps made", ylabel="loss (nats per byte)", xlim=(0, longest * 1.2))
    axes.set_ylim(min(low, *levels.values()) - 0.05, 4.0)
    axes.grid(alpha=0.3)
    axes.legend(title="line: training, dots: validation")
    plt.show()


def resumed(whole: Rows, killed: Rows, saved: int) -> None:
    """Plot the losses of an uninterrupted run, of a run that was killed, and of that run after it resumed."""
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    axes.plot(*_points(whole), color=COLOURS[0], linewidth=5, alpha=0.3, label="without a stop")
    axes.plot(*_points(killed), color=COLOURS[1], linewidth=1.5, label="killed")
    axes.plot(*_points(whole[saved:]), color=COLOURS[2], linestyle="--", linewidth=1.5, label="resumed")
    for step, name in ((saved, "saved"), (killed[-1]["step"], "killed")):
        axes.axvline(step, color="0.4", linewidth=1, linestyle=":")
        axes.annotate(name, (step, 1), xycoords=("data", "axes fraction"), xytext=(3, -12), textcoords="offset points")
    axes.set(xlabel="steps made", ylabel="loss (nats per byte)")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    plt.show()


def scaling(sizes: Sequence[float], losses: Sequence[float], a: float, alpha: float, fitted: int) -> None:
    """Plot loss against model size on logarithmic axes: the fitted points, the power law, and the points beyond."""
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    x = np.geomspace(0.7 * sizes[0], 3 * sizes[-1], 50)
    law = f"{a:.2f} N^-{alpha:.3f}"
    axes.loglog(x, a * x**-alpha, color=COLOURS[0], linestyle="--", linewidth=1.2, label=f"fitted: {law}")
    axes.loglog(sizes[:fitted], losses[:fitted], "o", color=COLOURS[0], markersize=9, label="used for the fit")
    axes.loglog(sizes[fitted:], losses[fitted:], "s", color=COLOURS[1], markersize=10, label="measured afterwards")
    axes.set(xlabel="weights N", ylabel="validation loss (nats per byte)")
    ticks = [t for t in np.arange(1.0, 4.0, 0.2) if 0.9 * min(losses) < t < 1.1 * max(losses)]
    axes.set_yticks(ticks, [f"{t:.1f}" for t in ticks])
    axes.yaxis.set_minor_formatter(lambda *_: "")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    plt.show()


def lost_time(cost: float = 1.0, between: float = 186.0) -> None:
    """Plot the share of time spent on checkpoints and repeated steps against the interval; all times in minutes.

    First-order in the interval (Young, 1974): cost / interval + interval / (2 between).
    """
    _, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
    interval = np.geomspace(2, 300, 200)
    saving, repeating = cost / interval, interval / (2 * between)
    best = np.sqrt(2 * cost * between)
    axes.semilogx(interval, 100 * (saving + repeating), color="black", linewidth=2, label="together")
    axes.semilogx(interval, 100 * saving, color=COLOURS[0], linestyle="--", label="saving")
    axes.semilogx(interval, 100 * repeating, color=COLOURS[1], linestyle="-.", label="repeating what was lost")
    axes.axvline(best, color="0.4", linestyle=":")
    axes.annotate(f"{best:.0f} minutes", (best, 13), xytext=(5, 0), textcoords="offset points")
    axes.set(xlabel="minutes between two checkpoints", ylabel="share of the time lost (%)", ylim=(0, 50))
    axes.set_xticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100", "200"])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(loc="upper center")
    plt.show()


def _points(rows: Rows) -> tuple[list[float], list[float]]:
    return [row["step"] for row in rows], [row["loss"] for row in rows]
