"""Broadcasting as stretched boxes."""

import re

import numpy as np
import pytest

from minitorch._palette import BLUE, GRAY, GREEN, INK, PAPER, TINTS, VERMILION
from minitorch_course.figures import broadcasting

NUMBERS = np.arange(1, 7).reshape(2, 3)


def boxes(drawing):
    """How many numbers are there, and how many are copies."""
    dashed = drawing.count("stroke-dasharray")
    return drawing.count('rx="3"') - dashed, dashed


def test_a_row_is_repeated_under_the_rows_of_a_table(texts):
    drawing = broadcasting.stretch(NUMBERS, [10, 20, 30])
    assert boxes(drawing) == (6 + 3 + 6, 3)
    assert [t for t in texts(drawing) if "(" in t] == ["(2, 3)", "(3,) → (2, 3)", "(2, 3)"]
    assert texts(drawing)[-7:-1] == ["11", "22", "33", "14", "25", "36"]


def test_both_sides_stretch(texts):
    drawing = broadcasting.stretch([[0], [10]], [[1, 2, 3]], "×")
    assert boxes(drawing) == (2 + 3 + 6, 4 + 3)
    assert "(2, 1) → (2, 3)" in texts(drawing)


def test_a_number_stretches_to_anything():
    assert boxes(broadcasting.stretch(5, [1, 2], "−")) == (1 + 2 + 2, 1)


def test_a_product_goes_by_way_of_a_cube(texts):
    a, b = NUMBERS, np.arange(12).reshape(3, 4)
    drawing = broadcasting.product(a, b)
    assert [t for t in texts(drawing) if t.startswith("(")] == [
        "(2, 3, 1) → (2, 3, 4)", "(1, 3, 4) → (2, 3, 4)", "(2, 3, 4)", "(2, 4)",
    ]  # fmt: skip
    assert texts(drawing)[-9:-1] == [str(n) for n in (a @ b).ravel()]
    assert boxes(drawing) == (6 + 12 + 24 + 8, 18 + 12)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="broadcast"):
        broadcasting.stretch(NUMBERS, [1, 2])


def test_a_drawing_is_a_picture_in_a_notebook_and_a_title_in_text():
    drawing = broadcasting.stretch([1], [2, 3])
    assert drawing._repr_svg_() == str(drawing)
    assert repr(drawing) == "Drawing: (1,) + (2,) = (2,)"
    assert re.search(r"<title>\(1,\) \+ \(2,\) = \(2,\)</title>", drawing)


def test_letters_are_readable_and_colours_from_one_palette():
    drawing = broadcasting.product(NUMBERS, NUMBERS.T)
    assert min(map(int, re.findall(r'font-size="(\d+)"', drawing))) >= 13
    known = {BLUE, VERMILION, GREEN, INK, GRAY, PAPER, *TINTS.values()}
    assert set(re.findall(r"#[0-9a-f]{6}", drawing)) <= known
