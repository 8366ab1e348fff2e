"""Drawings of notebook 05: eager and compiled steps, nested programs, donation, fusion, and a history."""

from __future__ import annotations

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, TINTS, VERMILION

from .svg import Block, Drawing, drawing, label

WIDTH = 760
HEIGHT = 30  # of a box
BY_RUN = ((2015, "autograd, Chainer"), (2016, "PyTorch"), (2019, "TensorFlow 2"))
THEN_RUN = ((2010, "Theano"), (2013, "Caffe"), (2015, "TensorFlow"), (2017, "XLA"))
BOTH = ((2018, "JAX"), (2019, "tf.function"), (2023, "torch.compile"))


def lanes() -> Drawing:
    """Draw three operations dispatched by Python one by one, and compiled: the first call and the next ones."""
    eager = [_left(0, 20, "eager: every call", 15, 600)]
    x = 150.0
    for name in ("x @ w", "+ b", "tanh"):
        eager += [_box(x, 40, 92, "Python", GRAY), _arrow(x + 92, 70, x + 104, 92), _box(x + 104, 92, 46, name, BLUE)]
        eager.append(_arrow(x + 150, 92, x + 162, 70))
        x += 164
    compiled = [_left(0, 176, "compiled: first call", 15, 600)]
    compiled += [_box(150, 196, 110, "trace", GRAY), _box(264, 196, 210, "compile", VERMILION)]
    compiled += [_arrow(474, 226, 486, 248), _box(486, 248, 90, "one program", BLUE)]
    compiled.append(_left(0, 322, "every other call", 15, 600))
    compiled += [_box(150, 342, 40, "call", GRAY), _arrow(190, 372, 202, 394), _box(202, 394, 90, "one program", BLUE)]
    rows = [_rows(top) for top in (40, 196, 342)]
    return drawing(
        Block("".join([*rows, *eager, *compiled]), WIDTH, 440),
        "Eager: Python and machine take turns at every operation. Compiled: one trip, after a dear first call",
    )


def _rows(top: float) -> str:
    """Return the two lines on which boxes stand: Python's and the machine's."""
    names = [_left(0, top + 20, "Python", 13, colour=GRAY), _left(0, top + 72, "machine", 13, colour=GRAY)]
    rails = [_line(150, y, WIDTH, y, "#d5dbe1") for y in (top + HEIGHT, top + 52 + HEIGHT)]
    return "".join([*rails, *names])


def nested() -> Drawing:
    """Draw a program with a loop inside a loop, and how often each frame runs."""
    shapes = [_frame(0, 0, 560, 190, "the program", "once", GRAY), _box(20, 80, 90, "exp", BLUE)]
    shapes += [_frame(130, 34, 410, 140, "scan", "3 times", VERMILION), _box(150, 100, 90, "sin", BLUE)]
    shapes += [_frame(260, 68, 260, 90, "scan", "4 times", VERMILION), _box(290, 110, 90, "tanh", BLUE)]
    shapes += [_left(580, 60, "exp   1", 15), _left(580, 90, "sin   3", 15), _left(580, 120, "tanh  3 × 4 = 12", 15)]
    return drawing(Block("".join(shapes), 720, 194), "Programs inside programs: times are multiplied on the way in")


def _frame(x: float, y: float, width: float, height: float, name: str, times: str, colour: str) -> str:
    rect = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4" fill="none" stroke="{colour}"'
        ' stroke-width="1.6"/>'
    )
    return rect + _left(x + 10, y + 21, name, 14, 600, colour) + _left(x + width - 66, y + 21, times, 14, 400, colour)


def donation() -> Drawing:
    """Draw the memory during a step: old and new weights side by side, or in one place."""
    shapes = [_left(0, 16, "not donated", 15, 600), _left(0, 136, "donated", 15, 600)]
    for x, text, colour in ((0, "old weights", GRAY), (180, "old state", GRAY), (360, "new weights", BLUE)):
        shapes.append(_box(x, 30, 172, text, colour))
    shapes += [_box(540, 30, 172, "new state", BLUE), _bracket(0, 712, 70, "in memory at the same time: twice")]
    shapes += [_box(0, 150, 172, "weights", BLUE), _box(180, 150, 172, "state", BLUE)]
    shapes += [_bracket(0, 352, 190, "once: the new ones overwrite the old ones")]
    return drawing(Block("".join(shapes), 716, 222), "Donated arrays give their memory to the results")


def fusion() -> Drawing:
    """Draw tanh, then times 2: through memory after each operation, or in one loop."""
    shapes = [_left(0, 16, "operation by operation", 15, 600), _left(700, 56, "16 MB", 15, 600, VERMILION)]
    for x, name in ((0, "x"), (290, "tanh x"), (580, "2 tanh x")):
        shapes.append(_memory(x, 34, name))
    for x, name in ((145, "tanh"), (435, "× 2")):
        shapes += [_box(x + 6, 104, 84, name, VERMILION)]
        shapes += [_arrow(x - 49, 72, x + 4, 110, VERMILION), label(x - 56, 106, "read 4 MB", GRAY, 13)]
        shapes += [_arrow(x + 92, 110, x + 145, 72, VERMILION), label(x + 152, 106, "write 4 MB", GRAY, 13)]
    shapes += [_left(0, 196, "fused", 15, 600), _memory(0, 214, "x"), _memory(580, 214, "2 tanh x")]
    shapes += [_box(263, 284, 150, "tanh, then × 2", BLUE), _left(700, 236, "8 MB", 15, 600, BLUE)]
    shapes += [_arrow(98, 246, 261, 294, BLUE), _arrow(415, 294, 578, 246, BLUE)]
    shapes += [label(150, 290, "read 4 MB", GRAY, 13), label(526, 290, "write 4 MB", GRAY, 13)]
    return drawing(Block("".join(shapes), WIDTH, 326), "Fused, the numbers in between never go to memory")


def history() -> Drawing:
    """Draw define-by-run frameworks above, define-then-run below, and those that joined the two in the middle."""
    first, last, left = 2010, 2023, 70.0

    def at(year: int) -> float:
        return left + (year - first) * (WIDTH - 2 * left) / (last - first)

    shapes = [_line(20, 150, WIDTH - 10, 150, GRAY)]
    shapes += [
        _left(20, 20, "define by run", 15, 600, VERMILION),
        _left(20, 290, "define, then run", 15, 600, BLUE),
        _left(20, 128, "both", 15, 600, GREEN),
    ]
    for year in (2010, 2015, 2020):
        shapes.append(label(at(year), 176, str(year), GRAY, 13))
    shapes += [_event(at(y), 144, 46 + 24 * (i % 2), name, y, VERMILION) for i, (y, name) in enumerate(BY_RUN)]
    shapes += [_event(at(y), 156, 216 + 24 * (i % 2), name, y, BLUE) for i, (y, name) in enumerate(THEN_RUN)]
    shapes += [_event(at(y), 150, 118 - 22 * (i % 2), name, y, GREEN) for i, (y, name) in enumerate(BOTH)]
    return drawing(Block("".join(shapes), WIDTH, 300), "Define by run, define then run, and both at once")


def _event(x: float, axis: float, y: float, text: str, year: int, colour: str) -> str:
    dot = f'<circle cx="{x:g}" cy="{axis:g}" r="5" fill="{colour}"/>'
    return _line(x, axis, x, y + (4 if y < axis else -14), TINTS[colour]) + dot + label(x, y, text, colour, 14, 600)


def _memory(x: float, y: float, text: str) -> str:
    rect = f'<rect x="{x:g}" y="{y:g}" width="96" height="34" fill="{PAPER}" stroke="{GRAY}" stroke-width="1.4"/>'
    return rect + label(x + 48, y + 22, text, INK, 14)


def _box(x: float, y: float, width: float, text: str, colour: str) -> str:
    fill = TINTS.get(colour, "#e8ecf0")
    rect = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HEIGHT}" rx="3" fill="{fill}" stroke="{colour}"/>'
    return rect + label(x + width / 2, y + 20, text, INK, 13)


def _bracket(x: float, end: float, y: float, text: str) -> str:
    path = f'<path d="M{x:g} {y:g}v8H{end:g}v-8" fill="none" stroke="{GRAY}"/>'
    return path + label((x + end) / 2, y + 26, text, GRAY, 14)


def _left(x: float, y: float, text: str, size: int, weight: int = 400, colour: str = INK) -> str:
    return label(x, y, text, colour, size, weight).replace('text-anchor="middle"', 'text-anchor="start"')


def _line(x: float, y: float, end: float, end_y: float, colour: str) -> str:
    return f'<path d="M{x:g} {y:g}L{end:g} {end_y:g}" stroke="{colour}" stroke-width="1.4"/>'


def _arrow(x: float, y: float, end: float, end_y: float, colour: str = GRAY) -> str:
    """Return a line with a small head."""
    length = ((end - x) ** 2 + (end_y - y) ** 2) ** 0.5
    a, b = (end - x) / length, (end_y - y) / length
    tips = [(end - 7 * a - side * 4 * b, end_y - 7 * b + side * 4 * a) for side in (1, -1)]
    wings = "".join(f"M{end:g} {end_y:g}L{tip_x:.1f} {tip_y:.1f}" for tip_x, tip_y in tips)
    return _line(x, y, end, end_y, colour) + f'<path d="{wings}" stroke="{colour}" stroke-width="1.4"/>'
