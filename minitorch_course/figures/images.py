"""Drawings of container images, for notebook 13 and its lecture: layers, names, stages, health, signals."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, PURPLE, TINTS, VERMILION

from .svg import ROW, Block, Drawing, captioned, drawing, label, vstack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARK = ".wh."
COLUMN, LEFT = 104, 132  # Pixels: a path, the names of layers.
COLOURS = {"starting": PURPLE, "healthy": GREEN, "unhealthy": VERMILION}


def tile(x: float, y: float, width: float, text: str, colour: str, height: float = ROW, weight: int = 400) -> str:
    """Return text in a box with the tint of a colour; a gray box has no tint."""
    fill = TINTS.get(colour, PAPER)
    rect = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="{fill}" stroke="{colour}"'
        ' stroke-width="1.4"/>'
    )
    return rect + label(x + width / 2, y + height / 2 + 5, text, INK, 14, weight)


def way(x: float, y: float, to_x: float, to_y: float, colour: str, dashed: bool = False) -> str:
    """Return a straight line with a dot at its end."""
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    line = f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="{colour}" stroke-width="2" fill="none"{dashes}/>'
    return line + f'<circle cx="{to_x:g}" cy="{to_y:g}" r="4" fill="{colour}"/>'


def pile(layers: Sequence[Mapping[str, int]], names: Sequence[str]) -> Drawing:
    """Draw layers from the uppermost to the lowest, a column per path, and above them the visible files."""
    paths = list(dict.fromkeys(path for layer in layers for path in layer if MARK not in path))
    width, top = LEFT + COLUMN * len(paths), 46
    shapes = [_heading(path, LEFT + COLUMN * (i + 0.5)) for i, path in enumerate(paths)]
    for i, path in enumerate(paths):
        size = _visible(layers, path)
        x = LEFT + COLUMN * i + 4
        shapes.append(tile(x, top, COLUMN - 8, f"{size} MB", BLUE, weight=600) if size is not None else "")
    shapes.append(label(LEFT / 2, top + 22, "seen", BLUE, 15, 600))
    for row, (layer, name) in enumerate(zip(reversed(layers), reversed(names), strict=True), 1):
        y = top + 14 + row * (ROW + 10)
        shapes.append(f'<path d="M0 {y + ROW + 4:g}H{width}" stroke="{GRAY}" stroke-width="0.6"/>')
        shapes.append(label(LEFT / 2, y + 22, name, INK, 14, 600))
        shapes += [_cell(layer, path, LEFT + COLUMN * i + 4, y) for i, path in enumerate(paths)]
    return drawing(
        Block("".join(shapes), width, top + 14 + (len(layers) + 1) * (ROW + 10)), "An image's layers, from above"
    )


def _heading(path: str, x: float) -> str:
    folder, _, name = path.rpartition("/")
    return label(x, 16, name, INK, 14, 600) + label(x, 34, folder, GRAY, 12)


def _hides(layer: Mapping[str, int], path: str) -> bool:
    hidden = (mark.replace(MARK, "") for mark in layer if MARK in mark)
    return any(f"{path}/".startswith(f"{name}/") for name in hidden)


def _visible(layers: Sequence[Mapping[str, int]], path: str) -> int | None:
    """Return the size of the visible file at a path, from the uppermost layer down; None if it is hidden or absent."""
    for layer in reversed(layers):
        if path in layer or _hides(layer, path):
            return layer.get(path)
    return None


def _cell(layer: Mapping[str, int], path: str, x: float, y: float) -> str:
    if path in layer:
        return tile(x, y, COLUMN - 8, f"{layer[path]} MB", GREEN)
    return tile(x, y, COLUMN - 8, "hidden", VERMILION) if _hides(layer, path) else ""


def names() -> Drawing:
    """Draw a tag that moves to each new build, and a digest that stays with its own."""
    builds = (("May", "sha256:2f1c…"), ("June", "sha256:9ab0…"), ("July", "sha256:77de…"))
    shapes = [
        tile(220, 0, 200, "python:3.12-slim", VERMILION, weight=600),
        label(320, -8, "the tag", VERMILION, 14, 600),
    ]
    for i, (month, digest) in enumerate(builds):
        x = 230 * i
        shapes += [way(320, ROW, x + 90, 84, VERMILION, dashed=i < 2), tile(x, 84, 180, f"the build of {month}", BLUE)]
        shapes.append(label(x + 90, 140, digest, GRAY, 14))
    shapes += [label(20, 60, "was here", VERMILION, 14), label(636, 60, "is here today", VERMILION, 14)]
    shapes += [way(90, 190, 90, 152, BLUE), tile(0, 190, 260, "python@sha256:2f1c…", BLUE, weight=600)]
    shapes.append(label(390, 212, "the digest: this build for ever", BLUE, 14, 600))
    block = Block(f'<g transform="translate(20 22)">{"".join(shapes)}</g>', 720, 250)
    return drawing(block, "A tag moves from build to build, a digest names one build for ever")


def stages() -> Drawing:
    """Draw two stages: what the first builds, and what the second copies and ships."""
    inside = (("compiler", 180), ("headers, caches", 60), ("packages", 150))
    shapes = [label(150, 16, "FROM … AS build", GRAY, 15, 600), label(590, 16, "FROM …", BLUE, 15, 600)]
    for i, (name, _) in enumerate(inside):
        shapes.append(tile(30, 34 + i * 44, 240, name, GREEN if i == 2 else GRAY))
    shapes.append(tile(30, 166, 240, "python, base", GRAY))
    for i, name in enumerate(("model, card, licence", "server", "packages", "python, base")):
        shapes.append(tile(470, 34 + i * 44, 240, name, GREEN if i == 2 else BLUE))
    shapes += [way(270, 139, 466, 139, GREEN), label(368, 130, "COPY --from=build", GREEN, 14, 600)]
    shapes += [label(150, 224, "stays where it was built", GRAY, 14), label(590, 224, "is shipped", BLUE, 14, 600)]
    return drawing(Block("".join(shapes), 740, 232), "A stage to build in, and a stage that is shipped")


def parts() -> Drawing:
    """Draw the parts of an image: a manifest that names all others by digest."""
    shapes = [tile(0, 70, 190, "name@sha256:77de…", BLUE, weight=600), tile(250, 70, 150, "manifest (JSON)", BLUE)]
    shapes.append(way(190, 87, 246, 87, BLUE))
    rows = ("config (JSON): how to start", "layer 1 (tar)", "layer 2 (tar)", "layer 3 (tar)")
    for i, row in enumerate(rows):
        y = 4 + i * 46
        shapes += [way(400, 87, 486, y + 17, GRAY), tile(490, y, 230, row, PURPLE if i == 0 else GREEN)]
    shapes.append(label(325, 136, "lists sha256 and size", GRAY, 14) + label(325, 154, "of each part", GRAY, 14))
    return drawing(Block("".join(shapes), 724, 184), "One digest holds for every byte of an image")


def shell() -> Drawing:
    """Draw where SIGTERM arrives: at a shell, or at the server."""
    line = [
        tile(0, 0, 130, "docker stop", GRAY),
        tile(220, 0, 190, "1: sh -c '…'", VERMILION),
        way(130, 17, 216, 17, VERMILION),
    ]
    line += [label(174, 8, "SIGTERM", VERMILION, 12), tile(500, 0, 220, "7: python serve.py", GRAY)]
    line += [way(410, 17, 442, 17, GRAY, True), label(466, 24, "✕", VERMILION, 20, 600)]
    exact = [tile(0, 0, 130, "docker stop", GRAY), tile(220, 0, 220, "1: python serve.py", GREEN)]
    exact += [way(130, 17, 216, 17, GREEN), label(174, 8, "SIGTERM", GREEN, 12)]
    panels = [
        captioned(
            Block("".join(line), 720, ROW), "CMD python serve.py: not heard; killed after ten seconds", VERMILION
        ),
        captioned(
            Block("".join(exact), 720, ROW), 'CMD ["python", "serve.py"]: heard, and obeyed by its handler', GREEN
        ),
    ]
    return drawing(vstack(panels), "A shell as process 1 keeps the signal to itself")


def pulse(answers: Sequence[tuple[float, bool]], states: Sequence[str], step: float = 70) -> Drawing:
    """Draw good and bad responses over time, and the state of health after each."""
    shapes = [label(44, 26, "answer", GRAY, 14), label(44, 72, "state", GRAY, 14)]
    for i, (seconds, good) in enumerate(answers):
        x = 100 + (i + 0.5) * step
        shapes.append(label(x, 28, "✓" if good else "✕", GREEN if good else VERMILION, 20, 600))
        shapes.append(label(x, 108, f"{seconds:g} s", GRAY, 12))
    x = 100.0
    for state, run in groupby(states):
        width = step * len(list(run))
        shapes.append(tile(x + 1, 50, width - 2, state, COLOURS[state]))
        x += width
    return drawing(
        Block("".join(shapes), 110 + step * len(answers), 116), "A health check's answers and the state of health"
    )
