"""Was it worth it? What each variant of a model takes, what it costs in perplexity, and how fast it writes.

result = compress.report(model, {"int8": small, "int4": smaller}, ids)
print(result.table())
Path("variants.png").write_bytes(result.picture())
"""

from __future__ import annotations

import io
import math
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..nn import paths
from ..train import mean_loss
from ..train.plot import BLUE, GREY
from .quantize import bytes_in_memory

Array = jax.Array
ORIGINAL = "original"
ROUNDS = 3


class Variant(NamedTuple):
    """A model in numbers. Tokens per second are those of one text, written on one device."""

    name: str
    disk: int  # bytes of its weights' file
    memory: int  # bytes of its arrays
    perplexity: float
    tokens_per_s: float


class Report(NamedTuple):
    """The original first, then its variants."""

    variants: tuple[Variant, ...]

    def table(self) -> str:
        """In Markdown. Shares and factors are of the original's."""
        first = self.variants[0]
        rows = [["model", "on disk", "in memory", "perplexity", "tokens/s"], ["---", *["---:"] * 4]]
        for v in self.variants:
            disk, memory = (f"{b / 1e6:,.2f} MB ({b / of:.0%})" for b, of in zip(v[1:3], first[1:3], strict=True))
            speed = f"{v.tokens_per_s:,.0f} ({v.tokens_per_s / first.tokens_per_s:.2f}x)"
            rows.append([v.name, disk, memory, f"{v.perplexity:.3f}", speed])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def picture(self) -> bytes:
        """PNG: perplexity by size and by speed. A line joins those that no other beats in both (the Pareto front)."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 4.5), dpi=150, layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, sharey=True)
        _draw(left, self.variants, [v.disk / 1e6 for v in self.variants], less_is_better=True)
        _draw(right, self.variants, [v.tokens_per_s for v in self.variants], less_is_better=False)
        left.set_xlabel("size on disk (MB)")
        left.set_ylabel("perplexity (less is better)")
        right.set_xlabel("tokens per second, one text (more is better)")
        png = io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
        return png.getvalue()


def report(model: Any, variants: Mapping[str, Any], data: Any, *, batch: int = 8, tokens: int = 64) -> Report:
    """Measure `model` and its `variants`, by name, on the ids `data` (N,).

    Each writes `tokens` tokens in turn, several times, and the median counts.

    Raises:
      ValueError: a variant is called as the original is, or the data is shorter than two tokens.
    """
    if ORIGINAL in variants:
        raise ValueError(f"no variant can be called {ORIGINAL!r}, for so the model itself is: choose another name.")
    models = {ORIGINAL: model, **variants}
    ids = jnp.asarray(data)
    losses = {name: mean_loss(m, ids, batch) for name, m in models.items()}
    speeds = tokens_per_s(models, ids[:1], tokens)
    return Report(
        tuple(
            Variant(name, bytes_on_disk(m), bytes_in_memory(m), math.exp(min(losses[name], 700.0)), speeds[name])
            for name, m in models.items()
        )
    )


def front(xs: list[float], ys: list[float]) -> list[int]:
    """Which points no other beats: none has less of one and no more of the other. In the order of `xs`, without NaN."""
    points = list(zip(xs, ys, strict=True))
    best = [
        i
        for i, (x, y) in enumerate(points)
        if x == x and y == y and not any(a <= x and b <= y and (a < x or b < y) for a, b in points)
    ]
    return sorted(best, key=lambda i: points[i])


def bytes_on_disk(model: Any) -> int:
    """The size of its safetensors file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.safetensors")
        paths.save_safetensors(model, file)
        return file.stat().st_size


def tokens_per_s(models: Mapping[str, Any], first: Array, tokens: int) -> dict[str, float]:
    """How fast each writes the likeliest tokens after the token `first` (1,)."""
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for i in range(ROUNDS + 1):
        for name, model in models.items():
            n = min(tokens, model.config.context)
            start = time.perf_counter()
            _write(model, first, n).block_until_ready()
            seconds[name] += [(time.perf_counter() - start) / n] if i else []  # The first compiles.
    return {name: 1 / median(times) for name, times in seconds.items()}


@partial(jax.jit, static_argnames="tokens")
def _write(model: Any, first: Array, tokens: int) -> Array:
    def one(_: Any, state: Any) -> Any:
        last, cache = state
        logits, cache = model.decode(last[:, None], cache)
        return logits[:, 0].argmax(axis=-1).astype(last.dtype), cache

    return jax.lax.fori_loop(0, tokens, one, (first, model.init_cache(1, tokens)))[0]


def _draw(axes: Any, variants: tuple[Variant, ...], xs: list[float], less_is_better: bool) -> None:
    ys = [v.perplexity for v in variants]
    best = front([x if less_is_better else -x for x in xs], ys)
    axes.plot([xs[i] for i in best], [ys[i] for i in best], color=BLUE, linewidth=1.2, zorder=1)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        marker, color = ("o", BLUE) if i in best else ("X", GREY)  # Shapes too, for no eye need tell the colours apart.
        axes.scatter(x, y, marker=marker, color=color, s=45, zorder=2)
        axes.annotate(variants[i].name, (x, y), textcoords="offset points", xytext=(6, 6), fontsize=9)
    axes.margins(x=0.18, y=0.15)
    axes.grid(color=GREY, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
