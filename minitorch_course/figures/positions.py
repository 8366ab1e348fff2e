"""Figures of rotary positions: pairs of numbers as hands of clocks, and scores that depend on distance only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

from minitorch._palette import BLUE

Rope = Callable[..., Any]


def hands(rope: Rope, places: Sequence[int] = (0, 1, 2, 3, 4, 5, 20, 100), d: int = 8, base: float = 1000.0) -> None:
    """Plot the pairs of a head at some positions, as hands of clocks that point right at position 0."""
    x = jnp.concatenate([jnp.ones(d // 2), jnp.zeros(d // 2)])  # Every pair is (1, 0).
    turned = np.asarray(rope(jnp.tile(x, (1, len(places), 1, 1)), jnp.array(places), base))[0, :, 0]
    _, panels = plt.subplots(d // 2, len(places), figsize=(1.25 * len(places), 0.68 * d), layout="constrained")
    for (pair, column), axes in np.ndenumerate(panels):
        across, up = turned[column, pair], turned[column, pair + d // 2]
        axes.add_patch(Circle((0, 0), 1, fill=False, color="0.75"))
        axes.annotate("", (across, up), (0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 1.8})
        axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        if pair == 0:
            axes.set_title(f"place {places[column]}", fontsize=10)
        if column == 0:
            axes.set_ylabel(
                f"pair {pair}\n{base ** (-2 * pair / d):.3f} rad", fontsize=9, rotation=0, labelpad=28, va="center"
            )
    plt.show()


def by_distance(rope: Rope, tokens: int = 12, d: int = 16) -> None:
    """Plot the scores of one query and one key at all pairs of positions, with learned and with rotary positions."""
    key_q, key_k, key_p = jax.random.split(jax.random.key(4), 3)
    q, k = jax.random.normal(key_q, (d,)), jax.random.normal(key_k, (d,))
    added = jax.random.normal(key_p, (tokens, d))

    def turn(x: Any) -> Any:
        return rope(jnp.tile(x, (1, tokens, 1, 1)), jnp.arange(tokens))[0, :, 0]

    tables = {"a vector for each place, added": (q + added) @ (k + added).T, "rotary: turned": turn(q) @ turn(k).T}
    _, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for axes, (name, table) in zip(panels, tables.items(), strict=True):
        table = np.asarray(table)
        size = np.abs(table).max()
        axes.imshow(table, cmap="PuOr", vmin=-size, vmax=size)
        axes.set(title=name, xlabel="place of the key")
    panels[0].set_ylabel("place of the query")
    plt.show()
