"""Drawings of notebook 06 and its lecture: bytes, words, merges, tokens, copied passages."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, PURPLE, TINTS, VERMILION

from .svg import Block, Drawing, drawing, label, moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

COLOURS = (BLUE, GREEN, PURPLE)  # Neighbours differ; orange is kept for what a drawing points at.
VISIBLE = str.maketrans({" ": "·", "\n": "↵", "\t": "→"})
LETTER, LINE, WIDTH = 9.2, 30, 760  # Pixels: of a letter in a box, of a row of boxes, of the longest row.
BYTE = 74  # Pixels: the box of a byte with its eight bits.
LEAF, LEVEL = 46, 50  # Pixels: between the letters of a tree, and between its levels.
MONO = "font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\""


def characters(text: str) -> Drawing:
    """Draw each character with its code point and its UTF-8 bytes, bit by bit."""
    shapes, x = [], 96.0
    for y, name in ((32, "character"), (62, "code point"), (97, "bytes")):
        shapes.append(_left(0, y, name, GRAY))
    for character in text:
        coded = character.encode()
        middle = x + BYTE * len(coded) / 2
        shapes += [label(middle, 34, character, INK, 26), label(middle, 62, f"U+{ord(character):04X}", INK, 15)]
        shapes += [_byte(x + BYTE * i, byte) for i, byte in enumerate(coded)]
        x += BYTE * len(coded) + 14
    legend = ((BLUE, "a character of its own"), (VERMILION, "begins a longer one"), (GREEN, "goes on with it"))
    for i, (colour, words) in enumerate(legend):
        shapes.append(_box(96 + 214 * i, 146, 16, 16, colour) + _left(120 + 214 * i, 159, words, GRAY))
    title = f"The characters of {text}, their code points and their bytes"
    return drawing(Block("".join(shapes), max(x, 96 + 3 * 214), 164), title)


def _byte(x: float, byte: int) -> str:
    """Return a byte in hexadecimal, with its bits below; the bits that mark the kind of byte are bold."""
    bits = f"{byte:08b}"
    marked = bits.index("0") + 1
    colour = BLUE if marked == 1 else GREEN if marked == 2 else VERMILION
    marks, rest = f'<tspan font-weight="700" fill="{INK}">{bits[:marked]}</tspan>', bits[marked:]
    return (
        _box(x, 76, BYTE - 3, 52, colour)
        + label(x + BYTE / 2 - 1.5, 97, f"{byte:02X}", INK, 16, 600)
        + f'<text x="{x + BYTE / 2 - 1.5:g}" y="119" font-size="12" fill="{GRAY}" text-anchor="middle" {MONO}>'
        + f"{marks}{rest}</text>"
    )


def tokens(
    rows: Mapping[str, Sequence[str]], special: Iterable[str] = (), title: str = "Text cut into pieces"
) -> Drawing:
    """Draw texts split into pieces, a box per piece; those among `special` are orange.

    `rows` maps a name to its pieces. A space is shown as a dot, a line break as an arrow.
    """
    marked, shapes, y = set(special), [], 0.0
    left = 8.6 * max(map(len, rows)) + 14 if any(rows) else 0.0
    for name, pieces in rows.items():
        shapes.append(_left(0, y + 20, name, GRAY))
        row, height = _boxes(pieces, marked)
        shapes.append(moved(row, left, y))
        y += height + 12
    return drawing(Block("".join(shapes), left + WIDTH, y - 12), title)


def _boxes(pieces: Sequence[str], marked: set[str]) -> tuple[str, float]:
    """Return boxes from left to right, wrapped into lines, and the height of all lines."""
    shapes, x, y = [], 0.0, 0.0
    for i, piece in enumerate(pieces):
        shown = piece.translate(VISIBLE)
        width = LETTER * len(shown) + 10
        if x and x + width > WIDTH:
            x, y = 0.0, y + LINE + 4
        colour = VERMILION if piece in marked else COLOURS[i % len(COLOURS)]
        shapes.append(_box(x, y, width - 2, LINE, colour) + _mono(x + width / 2 - 1, y + 20, shown))
        x += width
    return "".join(shapes), y + LINE


def merge_tree(word: str, merges: Sequence[tuple[int, int]]) -> Drawing:
    """Draw the merges of a word, in the order of `merges`: bytes at the bottom, and above two ids their merged id.

    `merges` are pairs of ids in the order in which they were learned. Bytes outside ASCII are shown as numbers.
    """
    ranks = {pair: i for i, pair in enumerate(merges)}
    nodes = [_Node(b, chr(b) if b < 128 else str(b), (i + 0.5) * LEAF, 0) for i, b in enumerate(word.encode())]
    shapes, width, top = [], LEAF * len(nodes), 0
    drawn = list(nodes)
    while known := [pair for pair in pairwise(nodes) if (pair[0].id, pair[1].id) in ranks]:
        left, right = min(known, key=lambda pair: ranks[pair[0].id, pair[1].id])
        new = 256 + ranks[left.id, right.id]
        parent = _Node(new, left.text + right.text, (left.x + right.x) / 2, max(left.level, right.level) + 1)
        shapes += [_edge(child, parent) for child in (left, right)]
        at = nodes.index(left)
        nodes[at : at + 2] = [parent]
        drawn.append(parent)
        top = max(top, parent.level)
    shapes += [_node(node, node in nodes) for node in drawn]
    height = LEVEL * top + 52
    block = Block(moved("".join(shapes), 0, LEVEL * top), max(width, 120), height)
    return drawing(block, f"How {word!r} is merged, from its bytes to its tokens")


class _Node:
    """An id in the tree, its text, its position, and the number of merges below it."""

    def __init__(self, id: int, text: str, x: float, level: int) -> None:
        self.id, self.text, self.x, self.level = id, text, x, level


def _edge(child: _Node, parent: _Node) -> str:
    x, y, to = child.x, -LEVEL * child.level, -LEVEL * parent.level + 34
    return f'<path d="M{x:g} {y:g}L{parent.x:g} {to:g}" stroke="{GRAY}" stroke-width="1.4"/>'


def _node(node: _Node, last: bool) -> str:
    shown = node.text.translate(VISIBLE)
    width = max(LETTER * len(shown) + 10, 34)
    y = -LEVEL * node.level
    colour = VERMILION if last and node.id > 255 else BLUE
    return (
        _box(node.x - width / 2, y, width, 34, colour)
        + _mono(node.x, y + 16, shown)
        + label(node.x, y + 30, str(node.id), GRAY, 11)
    )


def overlap(row: str, other: str, size: int = 5) -> Drawing:
    """Draw two rows of words; words inside a run of `size` words that both rows contain are orange."""
    rows = [row.split(), other.split()]
    shared = set(_runs(rows[0], size)) & set(_runs(rows[1], size))
    shapes, y = [], 0.0
    for words in rows:
        copied = {i + k for i, run in enumerate(_runs(words, size)) if run in shared for k in range(size)}
        x = 0.0
        for i, word in enumerate(words):
            width = LETTER * len(word) + 14
            if x and x + width > WIDTH:
                x, y = 0.0, y + LINE + 6
            colour = VERMILION if i in copied else None
            shapes.append(_box(x, y, width - 4, LINE, colour) + _mono(x + width / 2 - 2, y + 20, word))
            x += width
        y += LINE + 18
    title = f"Two rows that share {len(shared)} runs of {size} words"
    return drawing(Block("".join(shapes), WIDTH, y - 18), title)


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Return every run of `size` words, in lower case, from left to right."""
    return [tuple(word.lower() for word in words[i : i + size]) for i in range(len(words) - size + 1)]


def _box(x: float, y: float, width: float, height: float, colour: str | None) -> str:
    fill, edge = (PAPER, GRAY) if colour is None else (TINTS[colour], colour)
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="3" fill="{fill}" stroke="{edge}"'
        ' stroke-width="1.2"/>'
    )


def _left(x: float, y: float, text: str, colour: str) -> str:
    return label(x, y, text, colour, 14).replace('text-anchor="middle"', 'text-anchor="start"')


def _mono(x: float, y: float, text: str) -> str:
    return label(x, y, text, INK, 15).replace("<text ", f"<text {MONO} ", 1)
