"""Who shares a scale, and two codes in one byte."""

from collections import Counter
from xml.etree import ElementTree

from minitorch._palette import BLUE
from minitorch_course.figures import scales

MATRIX = [[0.5, -2.0, 0.25, 1.0], [4.0, 0.5, -0.5, 8.0]]
SVG = "{http://www.w3.org/2000/svg}"


def colours(drawing):
    return Counter(node.get("stroke") for node in ElementTree.fromstring(drawing).iter(f"{SVG}rect"))


def test_the_largest_number_of_each_group_is_on_the_right(texts):
    for group, largest in ((None, ["8"]), (4, ["2", "8"]), (2, ["2", "1", "4", "8"])):
        assert [text[:-4] for text in texts(scales.shares(MATRIX, [("", group)])) if "/ 7" in (text or "")] == largest


def test_those_that_share_a_scale_have_one_colour():
    assert colours(scales.shares(MATRIX, [("", None)]))[BLUE] == 8
    assert sorted(n for colour, n in colours(scales.shares(MATRIX, [("", 4)])).items() if colour) == [4, 4]
    assert sorted(n for colour, n in colours(scales.shares(MATRIX, [("", 2)])).items() if colour) == [2, 2, 2, 2]


def test_a_byte_holds_the_low_bits_of_two_codes(texts):
    written = texts(scales.nibbles([5, -3]))
    assert "".join(text for text in written[-11:] if text in ("0", "1")) == "11010101"
    assert "the byte: 213" in written
    assert {"5 as int8", "−3 as int8"} <= set(written)
