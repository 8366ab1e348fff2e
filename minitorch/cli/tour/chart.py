"""The loss curve of a run as SVG: sharp at any size, with the colours of the page around it, light or dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ...train.plot import running_mean
from ...train.tracking import Row

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 700, 20, 324  # of the axes, in units of the drawing


def loss_chart(rows: Sequence[Row], vocab: int, stopped_at: int | None = None) -> str:
    """Draw the training and validation loss over the steps of `rows`, and the loss of guessing among `vocab` tokens.

    A vertical line marks the step `stopped_at` at which the run was stopped and resumed. The page styles the classes
    of the elements: `batch`, `training`, `validation`, `guess`, `stop` and `grid`.
    """
    steps, losses = np.array([row["step"] for row in rows]), np.array([row["loss"] for row in rows])
    evaluated = np.array([(row["step"], row["val_loss"]) for row in rows if "val_loss" in row]).reshape(-1, 2)
    guess = math.log(vocab)
    ticks = _round_numbers(min([*losses, *evaluated[:, 1]]), max(*losses, guess))
    low, high, last = ticks[0], ticks[-1], steps[-1]

    def x(step: float) -> float:
        return LEFT + (RIGHT - LEFT) * step / last

    def y(loss: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (loss - low) / (high - low)

    def line(kind: str, xs: Iterable[float], ys: Iterable[float]) -> str:
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(xs, ys, strict=True))
        return f'<polyline class="{kind}" points="{points}"/>'

    parts = [
        *(f'{line("grid", (0, last), (t, t))}<text x="{LEFT - 8}" y="{y(t) + 5:.0f}">{t:g}</text>' for t in ticks),
        line("guess", (0, last), (guess, guess)),
        line("batch", steps, losses),
        line("training", steps, running_mean(losses, max(1, len(rows) // 40))),
        line("validation", *evaluated.T),
        *(f'<circle class="validation" cx="{x(a):.1f}" cy="{y(b):.1f}" r="4"/>' for a, b in evaluated),
        *(
            f'<text x="{x(t):.0f}" y="{BOTTOM + 24}" class="step">{t:g}</text>'
            for t in _round_numbers(0, last)
            if t <= last
        ),
    ]
    if stopped_at:
        parts.append(line("stop", (stopped_at, stopped_at), (low, high)))
    best = f"validation loss {evaluated[-1, 1]:.2f}" if len(evaluated) else f"training loss {losses[-1]:.2f}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="The loss falls from {losses[0]:.2f} to a {best}">'
        f"{''.join(parts)}</svg>"
    )


def _round_numbers(low: float, high: float) -> list[float]:
    """Return four to nine evenly spaced round numbers, from `low` or a little less to `high` or a little more."""
    rough = (high - low) / 6 or 1
    power = 10 ** math.floor(math.log10(rough))
    distance = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
    return [round(i * distance, 10) for i in range(math.floor(low / distance), math.ceil(high / distance) + 1)]
