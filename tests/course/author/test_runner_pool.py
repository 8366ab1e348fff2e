import threading

import pytest

from minitorch_course.author.cells import Notebook
from minitorch_course.author.runner_pool import RunnerPool, cores


@pytest.fixture
def crew(tmp_path):
    with RunnerPool(Notebook("16_small", "Small", (), tmp_path), 3) as crew:
        yield crew


def test_results_come_in_the_order_of_the_tasks(crew):
    assert list(crew.each([lambda runner, i=i: [str(i)] for i in range(20)])) == [[str(i)] for i in range(20)]


def test_each_runner_does_one_task_at_a_time_and_all_are_used(crew):
    together = threading.Barrier(3)

    def task(runner):
        together.wait()
        return [str(id(runner))]

    used = [result[0] for result in crew.each([task] * 6)]
    assert len(set(used[:3])) == len(set(used[3:])) == 3


def test_an_error_of_a_task_is_told(crew):
    def fail(runner):
        raise ValueError("the reference fails")

    with pytest.raises(ValueError, match="the reference fails"):
        list(crew.each([fail, *[lambda runner: []] * 20]))


def test_there_is_a_core():
    assert cores() >= 1
