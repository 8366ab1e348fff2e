"""Worker processes: nothing that happens in one ends the run."""

import itertools
import multiprocessing
import os
import signal
import time

import pytest

from minitorch_course.grading import workers
from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.workers import grade_all

pytestmark = pytest.mark.costly

NAME = "07_tiny.ipynb"


class Trap(bytes):
    """A file of a submission that does something to the worker which receives it."""

    does: tuple

    def __new__(cls, *does):
        trap = super().__new__(cls, b"{}")
        trap.does = does
        return trap

    def __reduce__(self):
        return self.does


@pytest.fixture
def graded_by_name(grading_env):
    """Grade some students, and return their results by name."""
    env, key = grading_env

    def grade(*files, jobs=1):
        readers = [lambda one=one: one for one in files]
        found = grade_all(readers, env.config.notebook, lambda: key, env.kernel_config(), jobs)
        return {one.row["student"]: one for one in found}

    return grade


def test_students_are_graded_side_by_side(graded_by_name, answers):
    found = graded_by_name(
        SubmissionFiles("right", {NAME: answers()}),
        SubmissionFiles("wrong", {NAME: answers(scaled="def scaled(a, b):\n    return [a, b]")}),
        SubmissionFiles("broken", {NAME: b"{"}),
        jobs=2,
    )
    assert {name: one.row["points"] for name, one in found.items()} == {"right": 6, "wrong": 3, "broken": 0}
    assert found["broken"].row["reason"].startswith("The notebook is damaged: it is not JSON")
    assert all(one.settled and one.seconds > 0 for one in found.values())


def test_a_worker_that_dies_costs_one_student(graded_by_name, answers):
    found = graded_by_name(
        SubmissionFiles("s01", {NAME: Trap(os._exit, (1,))}), SubmissionFiles("s02", {NAME: answers()})
    )
    assert found["s01"].row["reason"] == "The grader itself ended while it graded this submission."
    assert found["s01"].row["status"] == "failed"
    assert not found["s01"].settled
    assert found["s02"].row["points"] == 6


def test_a_worker_that_hangs_costs_one_student(graded_by_name, answers, monkeypatch):
    monkeypatch.setattr(workers, "MARGIN_SECONDS", -35)  # of a minute, so that the test is short
    found = graded_by_name(
        SubmissionFiles("s01", {NAME: Trap(time.sleep, (1000,))}), SubmissionFiles("s02", {NAME: answers()})
    )
    assert found["s01"].row["reason"] == "Grading it took more than 25 seconds."
    assert found["s02"].row["points"] == 6


def collisions():
    """Keep a processor busy in one call of C, as a hash table of colliding integers does."""
    return bytes(sum(itertools.repeat(0, 10**13)))


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (collisions, "Reading and comparing it took the grader more than 2 seconds."),
        (crash, "The grader itself ended while it graded this submission."),
    ],
)
def test_work_without_end_on_a_submission_is_ended_and_not_tried_again(answers, tiny, work, reason):
    """In a process of its own, as a worker: the submission's content starts the work while it is graded."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_work_limited, args=(work,))
    process.start()
    process.join(300)
    assert not process.is_alive()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "OWN_SECONDS", 2)
        assert workers._why_ended(process.exitcode) == (reason, True)


def _work_limited(work):
    workers.OWN_SECONDS = 2
    with workers._limited_work():
        work()


def test_work_within_the_limit_leaves_no_clock():
    with workers._limited_work():
        pass
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@pytest.mark.parametrize("code", [1, 0, -9, -15, None])
def test_a_grader_that_somebody_ended_is_tried_again(code):
    assert workers._why_ended(code) == ("The grader itself ended while it graded this submission.", False)


def test_whatever_fails_in_grading_is_a_row(graded_by_name, answers):
    found = graded_by_name(
        SubmissionFiles("s01", {NAME: Trap(memoryview, (b"{}",))}), SubmissionFiles("s02", {NAME: answers()})
    )
    assert found["s01"].row["reason"].startswith("It could not be graded: AttributeError: ")
    assert found["s02"].row["points"] == 6


def test_files_are_read_when_their_turn_has_come(grading_env, answers):
    """Not all submissions of a class fit into memory together."""
    env, key = grading_env
    read_files = []

    def read(name):
        read_files.append(name)
        return SubmissionFiles(name, {NAME: b"{"})

    readers = [lambda name=name: read(name) for name in "abc"]
    found = grade_all(readers, env.config.notebook, lambda: key, env.kernel_config(), 1)
    for number, _ in enumerate(found, 1):
        assert len(read_files) <= number + 1
    assert read_files == ["a", "b", "c"]
