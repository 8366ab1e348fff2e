"""The drawings of commits, merges and tests."""

import re

import pytest

from minitorch._palette import VERMILION
from minitorch_course.figures import git_graphs


def words(drawn):
    return re.findall(r">([^<>]+)</text>", drawn)


@pytest.mark.parametrize("figure", [git_graphs.objects, git_graphs.rebase, git_graphs.rounds])
def test_a_picture_has_a_title_and_words(figure):
    drawn = figure()
    assert drawn.title in drawn
    assert len(words(drawn)) > 5


@pytest.mark.parametrize(("theirs", "conflict"), [(["a"], False), (["b"], False), (["c"], True)])
def test_only_a_conflict_is_orange(theirs, conflict):
    drawn = git_graphs.joined([(["a"], ["b"], theirs)], [["result"]])
    assert (VERMILION in drawn) == conflict
    assert words(drawn)[-4:] == ["a", "b", *theirs, "result"]


def test_a_wrong_result_of_a_test_is_marked():
    drawn = words(git_graphs.verdicts({"mine": ["yes", "no", "yes"]}, ["new"], ["old", "late"]))
    assert drawn[-3:] == ["yes", "no", "yes (!)"]
