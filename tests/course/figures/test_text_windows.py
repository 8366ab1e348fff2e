"""Pictures of windows."""

import re

from minitorch_course.figures import text_windows


def texts(drawing):
    return re.findall(r">([^<>]+)</text>", drawing)


def test_below_each_input_is_the_next_letter():
    drawn = texts(text_windows.window("a bcdef", start=1, context=3))
    assert drawn[:7] == ["a", "␣", "b", "c", "d", "e", "f"]
    assert [letter for letter in drawn[7:] if letter not in ("inputs", "targets", "↓")] == [
        "␣",
        "b",
        "b",
        "c",
        "c",
        "d",
    ]


def test_each_target_is_in_one_call_and_the_last_is_filled_up():
    drawing = text_windows.cover(tokens=10, batch=2, context=2)
    assert [int(word) for word in texts(drawing) if word.isdigit()] == list(range(1, 10))
    assert [word for word in texts(drawing) if word.startswith("call")] == ["call 1", "call 2", "call 3"]
    assert drawing.count("stroke-dasharray") == 3
