"""Drawings of the content of files during a write, which is what a kill leaves at that moment."""

from __future__ import annotations

from minitorch._palette import BLUE, GRAY, GREEN, INK, TINTS, VERMILION

from .svg import ROW, Block, Drawing, captioned, drawing, label, moved, vstack


def writing() -> Drawing:
    """Draw the content of a checkpoint during a write in place, and during an atomic write."""
    moments = ["before", "opened", "half written", "closed", "renamed"]
    in_place = {"checkpoint.npz": ["old", "empty", "half", "new", ""]}
    atomic = {
        "checkpoint.npz.partial": ["none", "empty", "half", "new", "none"],
        "checkpoint.npz": ["old", "old", "old", "old", "new"],
    }
    in_place_words = "written in place: for two moments there is no checkpoint"
    atomic_words = "written to a temporary file, then renamed: always the old one or the new one"
    panels = [
        captioned(_states([*moments[:4], ""], in_place), in_place_words, VERMILION),
        captioned(_states(moments, atomic), atomic_words, BLUE),
    ]
    return drawing(
        vstack(panels), "What a kill leaves at each moment: a file written in place, and a file written atomically"
    )


def _states(moments: list[str], files: dict[str, list[str]], wide: int = 112, left: int = 190) -> Block:
    """Return a table of contents: moments from left to right, files from top to bottom."""
    shapes = [label(left + (i + 0.5) * wide, 15, moment, GRAY, 14) for i, moment in enumerate(moments)]
    for row, (name, states) in enumerate(files.items()):
        y = 24 + row * (ROW + 8)
        shapes.append(label(left / 2, y + ROW / 2 + 5, name, INK, 15, 600))
        shapes += [moved(_state(state, wide - 8), left + i * wide + 4, y) for i, state in enumerate(states) if state]
    return Block("".join(shapes), left + wide * len(moments), 24 + len(files) * (ROW + 8))


def _state(state: str, width: int) -> str:
    if state == "none":
        return label(width / 2, ROW / 2 + 5, "–", GRAY)
    colour = {"old": BLUE, "new": GREEN}.get(state, VERMILION)
    dashes = ' stroke-dasharray="3 3"' if colour == VERMILION else ""
    rect = (
        f'<rect width="{width}" height="{ROW}" rx="3" fill="{TINTS[colour]}" stroke="{colour}"'
        f' stroke-width="1.4"{dashes}/>'
    )
    return rect + label(width / 2, ROW / 2 + 5, state)
