import threading

import pytest

from minitorch_course.author.cells import Notebook
from minitorch_course.author.runner_pool import RunnerPool


@pytest.fixture
def pool(tmp_path):
    with RunnerPool(Notebook("16_small", "Small", (), tmp_path), 3) as pool:
        yield pool


def test_results_come_in_the_order_of_the_inspections(pool):
    assert list(pool.map([lambda runner, i=i: [str(i)] for i in range(20)])) == [[str(i)] for i in range(20)]


def test_each_runner_does_one_inspection_at_a_time_and_all_are_used(pool):
    together = threading.Barrier(3)

    def inspection(runner):
        together.wait()
        return [str(id(runner))]

    used = [result[0] for result in pool.map([inspection] * 6)]
    assert len(set(used[:3])) == len(set(used[3:])) == 3


def test_an_error_of_an_inspection_is_raised(pool):
    def fail(runner):
        raise ValueError("the reference fails")

    with pytest.raises(ValueError, match="the reference fails"):
        list(pool.map([fail, *[lambda runner: []] * 20]))
