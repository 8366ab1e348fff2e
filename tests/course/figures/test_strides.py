"""A view and the row of memory that it walks."""

from typing import Any, NamedTuple

import pytest

from minitorch_course.figures import strides


class View(NamedTuple):
    data: list[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: int = 0


ROW = list(range(10, 22))


@pytest.mark.parametrize(
    ("view", "read", "steps"),
    [
        (View(ROW, (3, 4), (4, 1)), ROW, ["axis 0: +4", "axis 1: +1"]),
        (View(ROW, (4, 3), (1, 4)), [10, 14, 18, 11, 15, 19, 12, 16, 20, 13, 17, 21], ["axis 0: +1", "axis 1: +4"]),
        (View(ROW, (2, 2), (4, -2), 3), [13, 11, 17, 15], ["axis 0: +4", "axis 1: −2"]),
        (View([10, 20, 30], (2, 3), (0, 1)), [10, 20, 30] * 2, ["axis 0: stays", "axis 1: +1"]),
        (View([10, 20, 30], (3,), (1,)), [10, 20, 30], ["axis 0: +1"]),
    ],
)
def test_the_table_and_the_steps(view, read, steps, texts):
    drawing = strides.walk(view)
    assert texts(drawing)[: len(read)] == [str(n) for n in read]
    assert [t for t in texts(drawing) if t.startswith("axis")] == steps
    assert texts(drawing)[-1] == f"shape {view.shape}, strides {view.strides}, start {view.start}"


def test_what_is_not_read_is_not_filled():
    drawing = strides.walk(View(ROW, (3, 2), (4, 2), 1))
    assert drawing.count(f'fill="{strides.TINTS[strides.BLUE]}"') == 6 + 6


def test_several_views_stand_below_each_other():
    assert repr(strides.walk(View(ROW, (2,), (1,)), View(ROW, (3,), (2,), 1))) == (
        "Drawing: shape (2,), strides (1,), start 0; shape (3,), strides (2,), start 1"
    )
