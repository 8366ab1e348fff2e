"""The picture of files being written."""

import re

from minitorch_course.figures import files


def test_only_in_place_is_the_checkpoint_gone_for_a_moment():
    drawn = re.findall(r">([^<>]+)</text>", files.writing())
    place = [i for i, word in enumerate(drawn) if word == "checkpoint.npz"]
    assert drawn[place[0] + 1 : place[0] + 5] == ["old", "empty", "half", "new"]
    assert drawn[place[1] + 1 : place[1] + 6] == ["old", "old", "old", "old", "new"]
