"""Figures of notebook 09: words read with and without a cache, the slots of a cache, speed, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, PURPLE, TINTS, VERMILION

from . import svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

COLOURS = (VERMILION, BLUE, GREEN, PURPLE, GRAY)
STYLES = ("--", "-", "-.", (0, (1, 1)), "-")
MARKS = ("o", "s", "^", "D", "v")
WIDE, HIGH, STEP = 56, 28, 36  # Pixels: the box of a word, and from row to row.
GIB = 2**30
NEW, AGAIN, KEPT = BLUE, VERMILION, GRAY


def triangle(prompt: Sequence[str], sampled: Sequence[str]) -> svg.Drawing:
    """Draw what a model reads to sample word after word, without a cache and with one; a row per sampled word."""
    words = [*prompt, *sampled]
    lengths = range(len(prompt), len(words))
    many, few = sum(lengths), len(words) - 1
    sides = [
        svg.captioned(_rows(words, lengths, AGAIN), f"no cache: {many} words read", VERMILION),
        svg.captioned(_rows(words, lengths, KEPT), f"a cache: {few} words read", BLUE),
    ]
    legend = svg.hstack([_key("read", NEW), _key("read again", AGAIN), _key("in the cache, not read", KEPT)])
    title = (
        f"To sample {len(sampled)} words after {len(prompt)}, {many} words are read without a cache and {few} with one"
    )
    return svg.drawing(svg.vstack([svg.hstack([sides[0], svg.symbol(""), sides[1]]), legend]), title)


def _rows(words: Sequence[str], lengths: range, old: str) -> svg.Block:
    """Return a row per length: words read before in the colour `old`, new words, and the sampled word."""
    shapes = []
    for i, length in enumerate(lengths):
        fresh = range(length) if i == 0 else (length - 1,)
        row = [_word(x * WIDE, words[x], NEW if x in fresh else old) for x in range(length)]
        end = length * WIDE + 12
        row += [_text(end, "→", GRAY), _text(end + 20, words[length], INK, weight=700)]
        shapes.append(svg.moved("".join(row), 0, i * STEP))
    width = lengths[-1] * WIDE + 34 + 9 * len(words[-1])
    return svg.Block("".join(shapes), width, len(lengths) * STEP)


def _word(x: float, text: str, colour: str) -> str:
    fill, dashes = (PAPER, ' stroke-dasharray="3 3"') if colour == KEPT else (TINTS[colour], "")
    rect = (
        f'<rect x="{x + 1:g}" y="0" width="{WIDE - 2}" height="{HIGH}" rx="3" fill="{fill}" stroke="{colour}"'
        f' stroke-width="1.4"{dashes}/>'
    )
    return rect + svg.label(x + WIDE / 2, HIGH / 2 + 5, text, GRAY if colour == KEPT else INK, 14)


def _text(x: float, text: str, colour: str, weight: int = 400) -> str:
    """Return text that begins at x."""
    return f'<text x="{x:g}" y="{HIGH / 2 + 5:g}" font-size="14" font-weight="{weight}" fill="{colour}">{text}</text>'


def _key(text: str, colour: str) -> svg.Block:
    return svg.Block(_word(0, "", colour) + _text(WIDE + 8, text, INK), WIDE + 16 + 7.4 * len(text), HIGH)


def slots(prompt: Sequence[str], sampled: Sequence[str], room: int) -> svg.Drawing:
    """Draw a cache with a fixed number of slots: empty, after the prompt, and after each word that follows."""
    filled = [0, len(prompt), *range(len(prompt) + 1, len(prompt) + len(sampled) + 1)]
    words = [*prompt, *sampled]
    states = [_slots(words[:n], words[: filled[max(i - 1, 0)]], room) for i, n in enumerate(filled)]
    title = f"A cache with {room} slots: each call writes at the position, and advances it"
    return svg.drawing(svg.vstack(states), title)


def _slots(words: Sequence[str], before: Sequence[str], room: int) -> svg.Block:
    """Return one state of the cache, with new words in the colour `NEW`."""
    row = []
    for i in range(room):
        if i < len(words):
            row.append(_word(i * WIDE, words[i], NEW if i >= len(before) else GREEN))
        else:
            row.append(_word(i * WIDE, "", KEPT))
    place = (len(words) + 0.5) * WIDE
    mark = svg.label(place, HIGH + 15, "▲", VERMILION, 12) if len(words) < room else ""
    note = _text(room * WIDE + 14, f"position {len(words)}", VERMILION, 600)
    return svg.Block("".join(row) + mark + note, room * WIDE + 100, HIGH + 14)


def reading(counts: Sequence[int], read: Sequence[tuple[int, int]]) -> None:
    """Plot how many tokens are read for a number of sampled tokens, without a cache and with one."""
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    naive, cached = zip(*read, strict=True)
    _lines(axes, counts, {"without a cache": naive, "with a cache": cached})
    axes.set(xlabel="tokens sampled", ylabel="tokens read")
    axes.legend(frameon=False)
    plt.show()


def speed(
    lengths: Sequence[int], steps: Mapping[str, Sequence[float]], batches: Sequence[int], totals: Sequence[float]
) -> None:
    """Plot tokens per second.

    On the left against the length of the text, in several ways; on the right against the number of texts that are
    continued at once, with a cache.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.8), layout="constrained")
    _lines(left, lengths, steps)
    left.set(xlabel="tokens before the sampled one", ylabel="tokens per second")
    left.legend(frameon=False)
    _lines(right, batches, {"all texts together": totals})
    ideal = [totals[0] * n / batches[0] for n in batches]
    right.plot(batches, ideal, ":", color="0.5", label="if more texts cost no time")
    right.set(xlabel="texts at once", ylabel="tokens per second")
    right.legend(frameon=False)
    plt.show()


def memory(lengths: Sequence[int], sizes: Mapping[str, Sequence[int]], limits: Mapping[str, int]) -> None:
    """Plot the size of the cache in bytes against the length of the text, for several models, with memory limits."""
    _, axes = plt.subplots(figsize=(8.5, 4), layout="constrained")
    _lines(axes, lengths, {name: [b / GIB for b in size] for name, size in sizes.items()})
    for (name, limit), style in zip(limits.items(), ("-", "--"), strict=False):
        axes.axhline(limit / GIB, color="black", linewidth=1, linestyle=style, label=name)
    axes.set(xlabel="tokens of one text", ylabel="cache (GiB)")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    plt.show()


def _lines(axes: Axes, x: Sequence[int], named: Mapping[str, Sequence[float]]) -> None:
    """Plot lines on logarithmic axes with whole numbers as ticks."""
    for (name, values), colour, style, mark in zip(named.items(), COLOURS, STYLES, MARKS, strict=False):
        axes.loglog(x, values, color=colour, linestyle=style, marker=mark, markersize=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, [f"{n:,}" for n in x])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:,.0f}" if y >= 1 else f"{y:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
