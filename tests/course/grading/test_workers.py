"""Worker processes: nothing that happens in one ends the run."""

import os
import time

import pytest

from minitorch_course.grading import workers
from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.workers import grade_all

NAME = "07_tiny.ipynb"


class Trap(bytes):
    """A file of a submission that does something to the worker which receives it."""

    def __new__(cls, *does):
        trap = super().__new__(cls, b"{}")
        trap.does = does
        return trap

    def __reduce__(self):
        return self.does


@pytest.fixture
def marked(grading_env):
    """What comes of some students, by name."""
    grading_env, key = grading_env

    def grade(*handed, jobs=1):
        hands = [lambda one=one: one for one in handed]
        found = grade_all(hands, grading_env.config.notebook, lambda: key, grading_env.kernel_config(), jobs)
        return {one.row["student"]: one for one in found}

    return grade


def test_students_are_graded_side_by_side(marked, answers):
    found = marked(
        SubmissionFiles("right", {NAME: answers()}),
        SubmissionFiles("wrong", {NAME: answers(scaled="def scaled(a, b):\n    return [a, b]")}),
        SubmissionFiles("broken", {NAME: b"{"}),
        jobs=2,
    )
    assert {name: one.row["points"] for name, one in found.items()} == {"right": 6, "wrong": 3, "broken": 0}
    assert found["broken"].row["reason"].startswith("The notebook is damaged: it is not JSON")
    assert all(one.settled and one.seconds > 0 for one in found.values())


def test_a_worker_that_dies_costs_one_student(marked, answers):
    found = marked(SubmissionFiles("s01", {NAME: Trap(os._exit, (1,))}), SubmissionFiles("s02", {NAME: answers()}))
    assert found["s01"].row["reason"] == "The grader itself ended while it was at this submission."
    assert found["s01"].row["status"] == "failed" and not found["s01"].settled
    assert found["s02"].row["points"] == 6


def test_a_worker_that_hangs_costs_one_student(marked, answers, monkeypatch):
    monkeypatch.setattr(workers, "MARGIN_SECONDS", -35)  # of a minute, so that it is no long test
    found = marked(SubmissionFiles("s01", {NAME: Trap(time.sleep, (1000,))}), SubmissionFiles("s02", {NAME: answers()}))
    assert found["s01"].row["reason"] == "Grading it took more than 25 seconds."
    assert found["s02"].row["points"] == 6


def test_whatever_fails_in_grading_is_a_row(marked, answers):
    found = marked(
        SubmissionFiles("s01", {NAME: Trap(memoryview, (b"{}",))}), SubmissionFiles("s02", {NAME: answers()})
    )
    assert found["s01"].row["reason"].startswith("It could not be graded: AttributeError: ")
    assert found["s02"].row["points"] == 6


def test_files_are_asked_for_when_their_turn_has_come(grading_env, answers):
    """Not all submissions of a class fit into memory together."""
    grading_env, key = grading_env
    asked = []

    def hand(name):
        asked.append(name)
        return SubmissionFiles(name, {NAME: b"{"})

    hands = [lambda name=name: hand(name) for name in "abc"]
    found = grade_all(hands, grading_env.config.notebook, lambda: key, grading_env.kernel_config(), 1)
    for number, _ in enumerate(found, 1):
        assert len(asked) <= number + 1
    assert asked == ["a", "b", "c"]
