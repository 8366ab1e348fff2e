"""What is read with and without a cache, its slots, speed and memory."""

from xml.etree import ElementTree

import matplotlib.pyplot as plt

from minitorch_course.figures import caching


def colours(drawing, colour):
    return sum(
        node.get("stroke") == colour
        for node in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}rect")
    )


def test_a_triangle_counts_what_is_read(texts):
    drawing = caching.triangle(["a", "b"], ["c", "d", "e"])
    assert {"no cache: 9 words read", "a cache: 4 words read"} <= set(texts(drawing))
    read, again, kept = (
        colours(drawing, colour) - 1 for colour in (caching.NEW, caching.AGAIN, caching.KEPT)
    )  # one in the key
    assert (read, again, kept) == (2 * 4, 5, 5)


def test_slots_are_filled_up_to_the_position(texts):
    drawing = caching.slots(["a", "b"], ["c"], room=5)
    assert [text for text in texts(drawing) if text] == [
        "▲", "position 0", "a", "b", "▲", "position 2", "a", "b", "c", "▲", "position 3",
    ]  # fmt: skip
    assert colours(drawing, caching.NEW) == 2 + 1
    assert colours(drawing, caching.KEPT) == 5 + 3 + 2


def test_reading_has_a_line_for_each_way():
    caching.reading([1, 2], [(4, 4), (9, 5)])
    assert [line.get_ydata().tolist() for line in plt.gca().lines] == [[4, 9], [4, 5]]


def test_the_ideal_is_proportional_to_the_texts():
    caching.speed([8, 16], {"slow": [3.0, 1.0], "fast": [9.0, 9.0]}, [2, 4], [10.0, 15.0])
    left, right = plt.gcf().axes
    assert [line.get_label() for line in left.lines] == ["slow", "fast"]
    assert list(right.lines[1].get_ydata()) == [10.0, 20.0]


def test_memory_is_in_gib_and_limits_have_names():
    caching.memory([1, 2], {"model": [2**30, 2**31]}, {"card": 2**34})
    axes = plt.gca()
    assert list(axes.lines[0].get_ydata()) == [1.0, 2.0]
    assert axes.lines[1].get_ydata()[0] == 16.0
    assert axes.lines[1].get_label() == "card"
