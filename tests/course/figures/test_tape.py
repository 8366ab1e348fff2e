"""The tape as a graph."""

from typing import NamedTuple
from xml.etree import ElementTree

from minitorch_course.figures.tape import scalar_tape

RULES = {"multiply": (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a), "tanh": (lambda g, y, a: 0.5 * g,)}


class Row(NamedTuple):
    op: str
    args: tuple[int, ...]
    value: float


def test_edges_carry_values_and_gradients(texts):
    tape = [Row("a", (), 2.0), Row("b", (), -3.0), Row("multiply", (0, 1), -6.0)]
    drawing = scalar_tape(tape, [-3.0, 2.0, 1.0], RULES)
    assert texts(drawing) == ["2 →", "← −3", "−3 →", "← 2", "a", "−3", "b", "2", "×", "1", "−6"]


def test_two_edges_between_the_same_nodes_run_side_by_side(texts):
    tape = [Row("a", (), 3.0), Row("multiply", (0, 0), 9.0)]
    drawing = scalar_tape(tape, [6.0, 1.0], RULES)
    assert texts(drawing)[:5] == ["3 →", "← 3", "3 →", "← 3", "a"]
    paths = [node.get("d") for node in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}path")]
    assert len(set(paths)) == len(paths) == 4


def test_an_edge_may_cross_columns(texts):
    tape = [Row("a", (), 1.0), Row("tanh", (0,), 0.5), Row("tanh", (1,), 0.25), Row("multiply", (0, 2), 0.25)]
    assert texts(scalar_tape(tape, [0.5, 0.5, 1.0, 1.0], RULES)).count("1 →") == 2
