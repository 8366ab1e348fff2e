"""Drawings of windows of a text: one with its targets, and those that cover a text for an evaluation."""

from __future__ import annotations

from minitorch._palette import BLUE, GRAY, VERMILION

from .svg import CELL, ROW, Block, Drawing, box, captioned, drawing, hstack, label, vstack

SHOWN = {" ": "␣", "\n": "⏎"}


def window(text: str, start: int, context: int) -> Drawing:
    """Draw a text in letters, one window of it, and the window's inputs above their targets."""
    inside = range(start, start + context + 1)
    strip = "".join(
        box(i * CELL, 0, SHOWN.get(letter, letter), BLUE if i in inside else GRAY, copy=i not in inside)
        for i, letter in enumerate(text)
    )
    pairs = []
    for t in range(context):
        above, under = (SHOWN.get(text[i], text[i]) for i in (start + t, start + t + 1))
        pairs.append(box(t * CELL, 0, above, BLUE) + label((t + 0.5) * CELL, ROW + 17, "↓", GRAY, 15))
        pairs.append(box(t * CELL, ROW + 24, under, VERMILION))
    rows = Block("".join(pairs), context * CELL, 2 * ROW + 24)
    words = label(40, 22, "inputs", BLUE, 15, 600) + label(40, ROW + 46, "targets", VERMILION, 15, 600)
    title = f"A window of {context} letters, and under each letter the one after it, which is to be guessed"
    return drawing(
        vstack([Block(strip, len(text) * CELL, ROW), hstack([Block(words, 80, rows.height), rows])]),
        title,
    )


def cover(tokens: int, batch: int, context: int) -> Drawing:
    """Draw which call of an evaluation holds which target, by position in the text; padding is dashed."""
    size = batch * context
    calls = [_call(range(first, first + size), tokens, context) for first in range(1, tokens, size)]
    return drawing(
        hstack([captioned(call, f"call {i}") for i, call in enumerate(calls, 1)]),
        f"The targets 1 to {tokens - 1} of a text in calls of {batch} rows of {context}; the last call is filled up",
    )


def _call(places: range, tokens: int, context: int) -> Block:
    boxes = [
        box(i % context * CELL, i // context * ROW, str(place) if place < tokens else "", BLUE, copy=place >= tokens)
        for i, place in enumerate(places)
    ]
    return Block("".join(boxes), context * CELL, len(places) // context * ROW)
