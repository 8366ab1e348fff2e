"""The drawing of a graph of scalars."""

import math
import re
from xml.etree import ElementTree

from minitorch.autodiff.scalar import Scalar
from minitorch_course.figures.scalar_graph import draw_scalar_graph, to_dot


def example():
    x, w = Scalar(2.0, "x"), Scalar(-0.5, "<w>")
    y = (w * x + 1.25).tanh() ** 2 + w * w - x
    y.backward()
    return y


def boxes(svg):
    root = ElementTree.fromstring(svg)
    rectangles = [e for e in root if e.tag.endswith("rect") and "box" in e.get("class", "")]
    return [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in rectangles]


def test_the_picture_is_one_that_a_notebook_shows():
    picture = draw_scalar_graph(example())
    assert picture._repr_svg_() == picture
    assert ElementTree.fromstring(picture).get("viewBox")


def test_the_picture_names_every_number_with_its_value_and_gradient():
    y = example()
    texts = [e.text for e in ElementTree.fromstring(draw_scalar_graph(y)).iter() if e.tag.endswith("text")]
    for node in y.graph():
        assert f"{node.value:.4g}".replace("-", "−") in texts
        assert f"{node.grad:.4g}".replace("-", "−") in texts
    assert {"x", "<w>", "+", "×", "−", "^", "tanh", "constant"} <= set(texts)


def test_the_boxes_of_the_picture_do_not_overlap_and_lie_inside_it():
    picture = draw_scalar_graph(example())
    width, height = (float(ElementTree.fromstring(picture).get(k)) for k in ("width", "height"))
    all_boxes = boxes(picture)
    assert len(all_boxes) == len(example().graph())
    for i, (x, y, w, h) in enumerate(all_boxes):
        assert 0 < x < x + w < width
        assert 0 < y < y + h < height
        for x2, y2, w2, h2 in all_boxes[:i]:
            assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y


def test_every_arrow_of_the_picture_points_to_the_right():
    lines = re.findall(r'class="line" d="M([\d.]+) .*?H([\d.]+)"', draw_scalar_graph(example()))
    assert len(lines) == sum(len(node.parents) for node in example().graph())
    assert all(float(start) < float(end) for start, end in lines)


def test_the_numbers_of_a_tree_stand_in_the_order_in_which_they_are_written():
    a, b, c, d = (Scalar(1.0, name) for name in "abcd")
    titles = [e for e in ElementTree.fromstring(draw_scalar_graph((a * b + c) / d)) if e.get("class") == "title"]
    height = {e.text: float(e.get("y")) for e in titles}
    assert height["a"] < height["b"]
    assert height["×"] < height["c"]
    assert height["+"] < height["d"]


def test_a_lone_number_has_a_picture_too():
    assert len(boxes(draw_scalar_graph(Scalar(math.pi, "pi")))) == 1


def test_to_dot_lists_boxes_and_arrows():
    x = Scalar(3.0, "x")
    y = x * x
    y.backward()
    assert to_dot(y).splitlines()[-4:-1] == [
        f'n{y.number} [label="×\\nvalue 9\\ngrad 1"]',
        f"n{x.number} -> n{y.number}",
        f"n{x.number} -> n{y.number}",
    ]
