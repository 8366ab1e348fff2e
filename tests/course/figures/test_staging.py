"""The drawings of notebook 05."""

from xml.etree import ElementTree

import pytest

from minitorch_course.figures import staging

DRAWINGS = [staging.lanes, staging.nested, staging.donation, staging.fusion, staging.history]
SVG = "{http://www.w3.org/2000/svg}"


def nodes(drawing, tag):
    """All elements of a kind in a drawing, which must be well-formed XML."""
    return list(ElementTree.fromstring(drawing).iter(f"{SVG}{tag}"))


def texts(drawing):
    return [node.text for node in nodes(drawing, "text")]


def test_python_runs_three_times_where_it_is_eager_and_once_where_it_compiles():
    shown = texts(staging.lanes())
    assert shown.count("one program") == 2
    boxes = [node for node in nodes(staging.lanes(), "text") if node.text == "Python" and node.get("fill") != "#5b6875"]
    assert len(boxes) == 3


def test_fusion_moves_half_of_the_bytes():
    shown = texts(staging.fusion())
    split = shown.index("fused")
    assert [sum("4 MB" in text for text in part) for part in (shown[:split], shown[split:])] == [4, 2]
    assert "16 MB" in shown[:split]
    assert "8 MB" in shown[split:]


def test_donated_weights_are_there_once():
    shown = texts(staging.donation())
    assert [text for text in shown if "weights" in text] == ["old weights", "new weights", "weights"]


def test_events_stand_in_the_order_of_their_years():
    place = {node.text: float(node.get("x")) for node in nodes(staging.history(), "text")}
    assert place["Theano"] < place["TensorFlow"] < place["PyTorch"] < place["JAX"] < place["torch.compile"]
    assert place["tf.function"] == place["TensorFlow 2"]


def test_times_are_multiplied_on_the_way_in():
    assert texts(staging.nested())[-1] == "tanh  3 × 4 = 12"


@pytest.mark.parametrize("draw", DRAWINGS)
def test_text_stays_inside_of_the_drawing(draw):
    width, height = map(float, ElementTree.fromstring(draw()).get("viewBox").split()[2:])
    for node in nodes(draw(), "text")[1:]:
        half = 0.3 * float(node.get("font-size")) * len(node.text)
        x = float(node.get("x")) + (half if node.get("text-anchor") == "start" else 0)
        assert half - 3 <= x <= width - half + 3, node.text
        assert 0 < float(node.get("y")) < height
