"""The engine of the first lecture, and its picture."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import jax
import jax.numpy as jnp
import pytest

from minitorch.autodiff.scalar import Scalar
from minitorch_course.figures.scalar_graph import dot, draw

FUNCTIONS = {
    "+": (lambda x, y: x + y + 2, lambda x, y: x + y + 2),
    "-": (lambda x, y: (x - y) - (3 - x), lambda x, y: (x - y) - (3 - x)),
    "*": (lambda x, y: 3 * x * y * x, lambda x, y: 3 * x * y * x),
    "/": (lambda x, y: x / y + 2 / x, lambda x, y: x / y + 2 / x),
    "negative": (lambda x, y: -x * y, lambda x, y: -x * y),
    "**": (lambda x, y: x**3 + y**-0.5 + x**0, lambda x, y: x**3 + y**-0.5 + x**0),
    "** of two": (lambda x, y: y**x + 2**x, lambda x, y: y**x + 2**x),
    "exp": (lambda x, y: (x * y).exp(), lambda x, y: jnp.exp(x * y)),
    "log": (lambda x, y: (x * x + y).log(), lambda x, y: jnp.log(x * x + y)),
    "tanh": (lambda x, y: (x * y).tanh() * y, lambda x, y: jnp.tanh(x * y) * y),
    "relu": (lambda x, y: x.relu() + y.relu() * 2, lambda x, y: jax.nn.relu(x) + jax.nn.relu(y) * 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("at", [(0.8, 1.7), (-0.6, 0.4)])
def test_value_and_derivatives_are_those_of_jax(name, at):
    ours, theirs = FUNCTIONS[name]
    x, y = (Scalar(a) for a in at)
    out = ours(x, y)
    out.backward()
    value, slopes = jax.value_and_grad(theirs, (0, 1))(*at)
    assert out.value == pytest.approx(float(value), rel=1e-5)
    assert (x.grad, y.grad) == pytest.approx([float(slope) for slope in slopes], rel=1e-5, abs=1e-6)


def test_a_number_used_twice_gets_both_derivatives():
    x = Scalar(3.0)
    y = x * x
    (y + y).backward()
    assert (x.grad, y.grad) == (12, 2)


def test_backward_forgets_what_was_there_before():
    x = Scalar(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad == 6
    x.backward()
    assert x.grad == 1


def test_a_chain_of_100000_operations_has_no_recursion_limit():
    x = y = Scalar(1.0)
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert (y.value, x.grad) == (100_001, 100_001)


def test_a_perceptron_learns_exclusive_or():
    weights = [Scalar(w) for w in (1.0, 0.9, -0.1, 0.8, 1.1, -1.2, 1.0, -1.1, 0.1)]

    def loss():
        total = Scalar(0)
        for a, b, target in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            w = weights
            left, right = (w[0] * a + w[1] * b + w[2]).tanh(), (w[3] * a + w[4] * b + w[5]).tanh()
            total = total + (w[6] * left + w[7] * right + w[8] - target) ** 2
        return total

    for _ in range(300):
        loss().backward()
        for w in weights:
            w.value -= 0.1 * w.grad
    assert loss().value < 0.01


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x + "1", TypeError, "computes with numbers, not with str"),
        (lambda x: x * jnp.ones(3), TypeError, "for arrays use minitorch.grad"),
        (lambda x: x**0.5, ValueError, r"-2 \*\* 0.5 is not a real number"),
        (lambda x: x.log(), ValueError, None),
        (lambda x: x / 0, ZeroDivisionError, None),
    ],
)
def test_what_has_no_value_is_an_error(call, error, message):
    with pytest.raises(error, match=message):
        call(Scalar(-2.0))


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
    picture = draw(example())
    assert picture._repr_svg_() == picture
    assert ElementTree.fromstring(picture).get("viewBox")


def test_the_picture_names_every_number_with_its_value_and_gradient():
    y = example()
    texts = [e.text for e in ElementTree.fromstring(draw(y)).iter() if e.tag.endswith("text")]
    for node in y.graph():
        assert f"{node.value:.4g}".replace("-", "−") in texts
        assert f"{node.grad:.4g}".replace("-", "−") in texts
    assert {"x", "<w>", "+", "×", "−", "^", "tanh", "constant"} <= set(texts)


def test_the_boxes_of_the_picture_do_not_overlap_and_lie_inside_it():
    picture = draw(example())
    width, height = (float(ElementTree.fromstring(picture).get(k)) for k in ("width", "height"))
    all_boxes = boxes(picture)
    assert len(all_boxes) == len(example().graph())
    for i, (x, y, w, h) in enumerate(all_boxes):
        assert 0 < x < x + w < width and 0 < y < y + h < height
        for x2, y2, w2, h2 in all_boxes[:i]:
            assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y


def test_every_arrow_of_the_picture_points_to_the_right():
    lines = re.findall(r'class="line" d="M([\d.]+) .*?H([\d.]+)"', draw(example()))
    assert len(lines) == sum(len(node.parents) for node in example().graph())
    assert all(float(start) < float(end) for start, end in lines)


def test_the_numbers_of_a_tree_stand_in_the_order_in_which_they_are_written():
    a, b, c, d = (Scalar(1.0, name) for name in "abcd")
    titles = [e for e in ElementTree.fromstring(draw((a * b + c) / d)) if e.get("class") == "title"]
    height = {e.text: float(e.get("y")) for e in titles}
    assert height["a"] < height["b"] and height["×"] < height["c"] and height["+"] < height["d"]


def test_a_lone_number_has_a_picture_too():
    assert len(boxes(draw(Scalar(math.pi, "pi")))) == 1


def test_dot_lists_boxes_and_arrows():
    x = Scalar(3.0, "x")
    y = x * x
    y.backward()
    assert dot(y).splitlines()[-4:-1] == [
        f'n{y.number} [label="×\\nvalue 9\\ngrad 1"]',
        f"n{x.number} -> n{y.number}",
        f"n{x.number} -> n{y.number}",
    ]
