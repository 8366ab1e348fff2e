"""Drawings of commits, merges, tests and branches, for notebook 14 and its lecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, PURPLE, VERMILION

from .images import tile, way
from .svg import ROW, Block, Drawing, captioned, drawing, label, vstack

Lines = Sequence[str]
WIDE = 168  # Pixels: a version of a file.


def objects() -> Drawing:
    """Draw two commits, their trees, and the blobs that they share."""
    shapes = [
        tile(0, 0, 190, "commit 78497a…", BLUE, weight=600),
        tile(0, 150, 190, "commit c0ffee…", BLUE, weight=600),
    ]
    shapes += [tile(280, 0, 150, "tree fd11b7…", PURPLE), tile(280, 150, 150, "tree 91d2e0…", PURPLE)]
    blobs = ("docs.md 975fbe…", "train.py 8be831…", "train.py b917a7…")
    shapes += [tile(540, 75 * i, 190, blob, VERMILION if i == 2 else GREEN) for i, blob in enumerate(blobs)]
    shapes += [way(190, 17, 276, 17, GRAY), way(190, 167, 276, 167, GRAY), way(95, 150, 95, 38, BLUE)]
    shapes += [label(150, 98, "parent", BLUE, 14), label(233, 10, "tree", GRAY, 13), label(233, 160, "tree", GRAY, 13)]
    shapes += [way(430, 17, 536, 17, GRAY), way(430, 17, 536, 92, GRAY)]
    shapes += [way(430, 167, 536, 17, GRAY), way(430, 167, 536, 167, GRAY)]
    shapes.append(label(635, 204, "changed: a new blob", VERMILION, 14))
    shapes.append(label(635, -10, "the same in both: there once", GREEN, 14))
    block = Block(f'<g transform="translate(0 22)">{"".join(shapes)}</g>', 740, 232)
    return drawing(block, "Commits name trees, trees name blobs; what did not change is shared")


def joined(pieces: Sequence[tuple[Lines, Lines, Lines]], merged: Sequence[Lines]) -> Drawing:
    """Draw three versions of a file cut into pieces, and the merge of each piece."""
    heads = ("base", "ours", "theirs", "joined")
    shapes = [label((i + 0.5) * (WIDE + 12), 16, head, INK, 15, 600) for i, head in enumerate(heads)]
    y = 30.0
    for (was, mine, other), result in zip(pieces, merged, strict=True):
        height = 24.0 * max(1, *map(len, (was, mine, other, result))) + 8
        conflict = mine != other and was not in (mine, other)
        colours = [GRAY, GRAY if mine == was else BLUE, GRAY if other == was else GREEN]
        colours.append(VERMILION if conflict else next((c for c in colours if c != GRAY), GRAY))
        for i, (lines, colour) in enumerate(zip((was, mine, other, result), colours, strict=True)):
            shapes.append(_lines(i * (WIDE + 12), y, lines, colour, height))
        y += height + 8
    return drawing(
        Block("".join(shapes), 4 * (WIDE + 12) - 12, y), "Three versions of a file, piece by piece, and the joined one"
    )


def _lines(x: float, y: float, lines: Lines, colour: str, height: float) -> str:
    words = [label(x + WIDE / 2, y + 21 + 24 * k, line, INK, 14) for k, line in enumerate(lines)]
    return tile(x, y, WIDE, "" if lines else "–", colour, height) + "".join(words)


def verdicts(answers: Mapping[str, Sequence[str]], right: Sequence[str], wrong: Sequence[str]) -> Drawing:
    """Draw the results of tests on right and wrong programs, with the wrong results marked."""
    wide, left = 128, 120
    shapes = []
    for i, name in enumerate((*right, *wrong)):
        colour = GREEN if i < len(right) else VERMILION
        x = left + (i + 0.5) * wide
        shapes += [
            label(x, 14, "right" if i < len(right) else "wrong", colour, 13),
            label(x, 32, name, colour, 13, 600),
        ]
    for row, (test, said) in enumerate(answers.items()):
        y = 44 + row * (ROW + 8)
        shapes.append(label(left / 2, y + 22, test, INK, 14, 600))
        for i, word in enumerate(said):
            good = (word == "yes") == (i < len(right))
            text = word if good else f"{word} (!)"
            shapes.append(
                tile(left + i * wide + 4, y, wide - 8, text, GRAY if good else VERMILION, weight=400 if good else 600)
            )
    width = left + wide * (len(right) + len(wrong))
    return drawing(
        Block("".join(shapes), width, 44 + len(answers) * (ROW + 8)), "Tests judged by what they accept and refuse"
    )


def rebase() -> Drawing:
    """Draw a branch next to a main that has moved on, and the same changes after a rebase."""
    before = [*_line(("1", "2", "3", "4"), 60, BLUE), *_line(("a", "b"), 130, VERMILION, start=2)]
    before += [
        way(217, 121, 147, 72, GRAY),
        label(420, 66, "main", BLUE, 14, 600),
        label(420, 136, "yours", VERMILION, 14, 600),
    ]
    after = [*_line(("1", "2", "3", "4"), 60, BLUE), *_line(("a'", "b'"), 60, VERMILION, start=4)]
    after += [
        way(413, 60, 350, 60, GRAY),
        *_line(("a", "b"), 130, GRAY, start=2),
        label(420, 136, "left behind", GRAY, 14),
        label(590, 66, "yours", VERMILION, 14, 600),
    ]
    panels = [
        captioned(Block("".join(before), 620, 150), "while you worked, 3 and 4 came in", GRAY),
        captioned(Block("".join(after), 620, 150), "git rebase: the same changes, other parents, so other names", GRAY),
    ]
    return drawing(vstack(panels), "A branch is rebased on main: its commits are created again")


def _line(names: Sequence[str], y: float, colour: str, start: int = 0, step: float = 100) -> list[str]:
    shapes = []
    for i, name in enumerate(names):
        x = 30 + (start + i) * step
        if i:
            shapes.append(way(x - 17, y, x - step + 20, y, GRAY))
        shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="16" fill="{PAPER}" stroke="{colour}" stroke-width="2"/>')
        shapes.append(label(x, y + 5, name, INK, 14, 600))
    return shapes


def rounds() -> Drawing:
    """Draw the path of a change from an issue to a merge, with a second round of review."""
    steps = ("issue", "failing test", "change", "pull request", "review", "merge")
    step = 126
    shapes = []
    for i, name in enumerate(steps):
        shapes.append(tile(step * i, 30, step - 22, name, (GRAY, VERMILION, BLUE, BLUE, PURPLE, GREEN)[i], weight=600))
        if i:
            shapes.append(way(step * i - 22, 47, step * i - 4, 47, GRAY))
    back, to = step * 4 + 52, step * 2 + 52
    shapes.append(f'<path d="M{back} 64v26H{to}v-20m-5 8l5 -8l5 8" fill="none" stroke="{PURPLE}" stroke-width="2"/>')
    shapes.append(label((back + to) / 2, 110, "comments: a second round", PURPLE, 14))
    shapes.append(label(step * 4 + 52, 18, "CI on the result of the merge", GRAY, 13))
    return drawing(Block("".join(shapes), step * 6 - 22, 116), "From an issue to a merge")
