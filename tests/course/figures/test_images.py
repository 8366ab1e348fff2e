"""The drawings of container images."""

import re

import pytest

from minitorch_course.figures import images

LAYERS = [{"a/x": 1, "b": 2}, {"b": 30}, {".wh.a": 0, "c": 4}]


def words(drawn):
    return re.findall(r">([^<>]+)</text>", drawn)


def test_the_uppermost_file_is_visible_unless_it_is_hidden():
    drawn = words(images.pile(LAYERS, ["one", "two", "three"]))
    assert drawn[drawn.index("seen") - 2 : drawn.index("seen")] == ["30 MB", "4 MB"]
    assert drawn[drawn.index("three") : drawn.index("two")] == ["three", "hidden", "4 MB"]


@pytest.mark.parametrize("figure", [images.names, images.stages, images.parts, images.shell])
def test_a_picture_has_a_title_and_words(figure):
    drawn = figure()
    assert drawn.title in drawn
    assert len(words(drawn)) > 4


def test_each_run_of_a_state_is_named_once():
    answers = [(10 * i, good) for i, good in enumerate([False, False, True, True, True])]
    drawn = words(images.pulse(answers, ["starting"] * 2 + ["healthy"] * 3))
    assert drawn.count("starting") == drawn.count("healthy") == 1
    assert drawn.count("✕") == 2
    assert drawn.count("✓") == 3
