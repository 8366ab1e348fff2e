"""Compare a model with its compressed variants: size, perplexity and speed.

comparison = compress.compare(model, {"int8": small, "int4": smaller}, ids)
print(comparison.table())
Path("variants.png").write_bytes(comparison.plot())
"""

from __future__ import annotations

import io
import math
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from ..nn import paths
from ..train import mean_loss
from ..train.plot import BLUE, GREY
from .quantize import bytes_in_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._types import Array

ORIGINAL = "original"
ROUNDS = 3


class Variant(NamedTuple):
    """The measurements of one model. `tokens_per_s` is for one text on one device."""

    name: str
    disk: int  # Bytes of the file of its weights.
    memory: int  # Bytes of its arrays.
    perplexity: float
    tokens_per_s: float


class Comparison(NamedTuple):
    """The measurements of the original model, then of its variants."""

    variants: tuple[Variant, ...]

    def table(self) -> str:
        """Return a Markdown table, with sizes and speeds relative to the original."""
        first = self.variants[0]
        rows = [["model", "on disk", "in memory", "perplexity", "tokens/s"], ["---", *["---:"] * 4]]
        for v in self.variants:
            disk, memory = (f"{b / 1e6:,.2f} MB ({b / of:.0%})" for b, of in zip(v[1:3], first[1:3], strict=True))
            speed = f"{v.tokens_per_s:,.0f} ({v.tokens_per_s / first.tokens_per_s:.2f}x)"
            rows.append([v.name, disk, memory, f"{v.perplexity:.3f}", speed])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def plot(self) -> bytes:
        """Return a PNG image: perplexity over size and over speed, with the Pareto front of each as a line."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4.5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, sharey=True)
        _scatter(left, self.variants, [v.disk / 1e6 for v in self.variants], less_is_better=True)
        _scatter(right, self.variants, [v.tokens_per_s for v in self.variants], less_is_better=False)
        left.set_xlabel("size on disk (MB)")
        left.set_ylabel("perplexity (less is better)")
        right.set_xlabel("tokens per second, one text (more is better)")
        png = io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        return png.getvalue()


def compare(model: Any, variants: Mapping[str, Any], data: Any, *, batch: int = 8, tokens: int = 64) -> Comparison:
    """Measure `model` and its `variants`, by name, on the ids `data` (N,).

    The models take turns in generating `tokens` tokens; the median speed counts.

    Raises:
      ValueError: a variant has the name of the original, or the data has fewer than two tokens.
    """
    if ORIGINAL in variants:
        raise ValueError(f"no variant can be called {ORIGINAL!r}, the name of the model itself: choose another name.")
    models = {ORIGINAL: model, **variants}
    ids = jnp.asarray(data)
    losses = {name: mean_loss(m, ids, batch) for name, m in models.items()}
    speeds = tokens_per_s(models, ids[:1], tokens)
    measured = []
    for name, m in models.items():
        perplexity = math.exp(min(losses[name], 700.0))
        measured.append(Variant(name, bytes_on_disk(m), bytes_in_memory(m), perplexity, speeds[name]))
    return Comparison(tuple(measured))


def pareto_front(xs: list[float], ys: list[float]) -> list[int]:
    """Return the indices of the points that no other point dominates, in the order of `xs`. Less is better.

    A point dominates another if it is less in one coordinate and not more in the other. NaN is left out.
    """
    points = list(zip(xs, ys, strict=True))
    best = [
        i
        for i, (x, y) in enumerate(points)
        if x == x and y == y and not any(a <= x and b <= y and (a < x or b < y) for a, b in points)
    ]
    return sorted(best, key=lambda i: points[i])


def bytes_on_disk(model: Any) -> int:
    """Return the size of a model's safetensors file in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        paths.save_safetensors(model, file)
        return file.stat().st_size


def tokens_per_s(models: Mapping[str, Any], first: Array, tokens: int) -> dict[str, float]:
    """Return the speed of each model's greedy generation after the token `first` (1,)."""
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for i in range(ROUNDS + 1):
        for name, model in models.items():
            n = min(tokens, model.config.context)
            start = time.perf_counter()
            _generate(model, first, n).block_until_ready()
            seconds[name] += [(time.perf_counter() - start) / n] if i else []  # The first round compiles.
    return {name: 1 / median(times) for name, times in seconds.items()}


@partial(jax.jit, static_argnames="tokens")
def _generate(model: Any, first: Array, tokens: int) -> Array:
    """Return the last of `tokens` greedy tokens after the token `first` (1,): (1,)."""

    def decode(_: Any, state: Any) -> Any:
        last, cache = state
        logits, cache = model.decode(last[:, None], cache)  # (1, 1, V)
        return logits[:, 0].argmax(axis=-1).astype(last.dtype), cache

    return jax.lax.fori_loop(0, tokens, decode, (first, model.init_cache(1, tokens)))[0]


def _scatter(axes: Any, variants: tuple[Variant, ...], xs: list[float], less_is_better: bool) -> None:
    ys = [v.perplexity for v in variants]
    best = pareto_front([x if less_is_better else -x for x in xs], ys)
    axes.plot([xs[i] for i in best], [ys[i] for i in best], color=BLUE, linewidth=1.2, zorder=1)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        marker, color = ("o", BLUE) if i in best else ("X", GREY)  # Shapes as well, for colour-blind readers.
        axes.scatter(x, y, marker=marker, color=color, s=45, zorder=2)
        axes.annotate(variants[i].name, (x, y), textcoords="offset points", xytext=(6, 6), fontsize=9)
    axes.margins(x=0.18, y=0.15)
    axes.grid(color=GREY, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
