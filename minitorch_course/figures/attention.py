"""Plots and drawings of attention: weights, masks, causality, memory of the cache, and an ablation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from minitorch._palette import BLUE, GRAY, GREEN, INK, PINK, SKY, VERMILION

from .attention_example import TOKENS as TOKENS
from .attention_example import WEIGHTS as WEIGHTS
from .svg import CELL, ROW, Block, Drawing, box, captioned, drawing, hstack, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COLOURS = (SKY, PINK, GREEN, VERMILION, BLUE)
STYLES = ("-", "-.", (0, (4, 2)), "--", "-")
GB = 1e9


def head(tokens: Sequence[str], weights: Any) -> None:
    """Plot the weights (T, T) of one head: a row per query token, a column per key token."""
    weights = np.asarray(weights)
    _, axes = plt.subplots(figsize=(7.5, 6.5), layout="constrained")
    _table(axes, tokens, weights)
    for row, column in np.argwhere(weights >= 0.1):
        dark = weights[row, column] > 0.55
        text = f"{100 * weights[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axes.set(xlabel="... at this token", ylabel="this token looks ...")
    axes.set_title("weights in %, from 10 upwards", fontsize=10)
    plt.show()


def heads(tokens: Sequence[str], weights: Any) -> None:
    """Plot the weights (layers, H, T, T) of all heads of a model."""
    weights = np.asarray(weights)
    layers, count = weights.shape[:2]
    figure, panels = plt.subplots(
        layers,
        count,
        figsize=(3.1 * count, 3.3 * layers),
        sharex=True,
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for (layer, number), axes in np.ndenumerate(panels):
        _table(axes, tokens, weights[layer, number], size=7)
        axes.set_title(f"layer {layer}, head {number}", fontsize=10)
    figure.supylabel("this token looks ...")
    figure.supxlabel("... at this token")
    plt.show()


def _table(axes: Axes, tokens: Sequence[str], weights: np.ndarray, size: float = 10) -> None:
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1)
    names = [readable(token) for token in tokens]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size, family="monospace")
    axes.set_yticks(range(len(names)), names, fontsize=size, family="monospace")
    axes.tick_params(length=0)
    axes.spines[:].set_color("0.8")


def readable(token: str) -> str:
    """Return a token with its spaces and line breaks made visible."""
    return token.replace(" ", "·").replace("\n", "↵")


def sharpness(widths: Sequence[int] = (4, 16, 64, 256, 1024), keys: int = 16, queries: int = 400) -> None:
    """Plot the mean largest weight over random keys, with scores divided by the root of d and without."""
    random = np.random.default_rng(0)
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for name, power, colour, style in (
        ("scores as they are", 0.0, VERMILION, "--"),
        ("divided by the root of d", 0.5, BLUE, "-"),
    ):
        largest = []
        for d in widths:
            q, k = random.standard_normal((queries, 1, d)), random.standard_normal((queries, keys, d))
            scores = (q * k).sum(-1) / d**power
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            largest.append((weights.max(-1) / weights.sum(-1)).mean())
        axes.semilogx(widths, 100 * np.array(largest), "o", color=colour, linestyle=style, label=name)
    axes.axhline(100 / keys, color="0.5", linewidth=1)
    axes.text(widths[0], 100 / keys + 2, "shared out evenly", color="0.4")
    axes.set(xlabel="d, numbers in a query", ylabel=f"heaviest of {keys} keys (%)", ylim=(0, 105))
    axes.set_xticks(widths, [str(d) for d in widths])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    plt.show()


def mask(tokens: Sequence[str]) -> Drawing:
    """Draw the causal mask: full boxes are visible to a token, dashed boxes are hidden."""
    left, top, n = 64, 30, len(tokens)
    shapes = [label(left + CELL * n / 2, 12, "... at this token", GRAY, 13)]
    for j, token in enumerate(tokens):
        shapes.append(label(left + CELL * (j + 0.5), top + 4, token, INK, 14))
    for i, token in enumerate(tokens):
        y = top + 14 + (ROW + 4) * i
        shapes.append(label(left - 30, y + ROW / 2 + 5, token, INK, 14))
        for j in range(n):
            seen = j <= i
            shapes.append(box(left + CELL * j + 2, y, "q·k" if seen else "−∞", BLUE if seen else GRAY, copy=not seen))
    height = top + 14 + (ROW + 4) * n
    title = "The causal mask: every token looks at itself and at those before it"
    return drawing(Block("".join(shapes), left + CELL * n + 4, height), title)


def cuts(tokens: Sequence[str] = ("the", "cat", "sat", "on"), heads: int = 3, head_size: int = 2) -> Drawing:
    """Draw which number of which token belongs to which head: with reshape and transpose, and with reshape alone."""
    T, D = len(tokens), heads * head_size
    right = [[column // head_size for column in range(D)] for _ in range(T)]
    wrong = [[(row * D + column) // (T * head_size) for column in range(D)] for row in range(T)]
    tables = [
        captioned(_cut(tokens, right), "reshape to (T, H, d), then transpose"),
        captioned(_cut(tokens, wrong), "reshape to (H, T, d) at once"),
    ]
    title = "A colour is a head. Right, each head has some numbers of every token; wrong, all numbers of some tokens"
    return drawing(hstack(tables), title)


def _cut(tokens: Sequence[str], owners: Sequence[Sequence[int]]) -> Block:
    left, shapes = 52, []
    for row, (token, heads) in enumerate(zip(tokens, owners, strict=True)):
        y = (ROW + 4) * row
        shapes.append(label(left - 28, y + ROW / 2 + 5, token, INK, 14))
        for column, number in enumerate(heads):
            shapes.append(box(left + CELL * column, y, f"h{number}", (BLUE, VERMILION, GREEN)[number]))
    return Block("".join(shapes), left + CELL * len(owners[0]), (ROW + 4) * len(tokens) - 4)


def influence(named: Mapping[str, Any]) -> None:
    """Plot which results (rows) changed with which token (columns): booleans (T, T) for each function."""
    _, panels = plt.subplots(1, len(named), figsize=(4 * len(named), 3.6), sharey=True, layout="constrained")
    for axes, (name, moved) in zip(np.atleast_1d(panels), named.items(), strict=True):
        axes.imshow(np.asarray(moved), cmap="Blues", vmin=0, vmax=1.3)
        n = len(moved)
        axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.tick_params(which="both", length=0)
        axes.set(title=name, xlabel="token that was changed")
    np.atleast_1d(panels)[0].set_ylabel("result that moved")
    plt.show()


def cache_memory(layers: int = 80, heads: int = 64, head_size: int = 128, bytes_each: int = 2) -> None:
    """Plot the memory of the key/value cache against the length of the text, for several numbers of key heads.

    The default sizes are those of Llama 2 70B.
    """
    tokens = 2.0 ** np.arange(8, 18)
    _, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for kv_heads, colour, style, name in (
        (heads, VERMILION, "--", f"{heads}: every head its own"),
        (8, BLUE, "-", "8: groups, as Llama 2 has them"),
        (1, GREEN, "-.", "1: all heads share one"),
    ):
        memory = 2 * layers * kv_heads * head_size * bytes_each * tokens / GB
        axes.loglog(tokens, memory, color=colour, linestyle=style, label=name)
    axes.axhline(80, color="0.5", linewidth=1)
    axes.text(tokens[0], 92, "memory of one large GPU, 80 GB", color="0.35")
    axes.set(xlabel="tokens of the text", ylabel="keys and values (GB)", ylim=(4e-3, 1000))
    axes.set_xticks(tokens[::2], [f"{int(t):,}" for t in tokens[::2]])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(title="heads of keys and values", loc="lower right")
    plt.show()


def ladder(losses: Mapping[str, Any], window: int = 30) -> None:
    """Plot the training losses of several models, as means of `window` steps, and their final values."""
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", width_ratios=(3, 2))
    ends = []
    for (name, values), colour, style in zip(losses.items(), COLOURS, STYLES, strict=False):
        smooth = np.convolve(np.asarray(values), np.ones(window) / window, mode="valid")
        left.plot(np.arange(window, len(values) + 1), smooth, color=colour, linestyle=style, label=name)
        ends.append(smooth[-1])
    right.plot(ends, "o-", color=INK)
    for i, end in enumerate(ends):
        right.annotate(f"{end:.2f}", (i, end), textcoords="offset points", xytext=(4, 8))
    right.set_xticks(range(len(ends)), list(losses), rotation=25, ha="right")
    right.set(ylabel=f"mean of the last {window} steps", xlim=(-0.5, len(ends) - 0.3))
    right.margins(y=0.25)
    left.set(xlabel="step", ylabel=f"loss (nats a token), mean of {window} steps")
    left.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    plt.show()
