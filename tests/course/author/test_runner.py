import pytest

from minitorch_course.author.runner import Runner
from minitorch_course.author.source import read_source

SOURCE = """# %% [markdown]
# # Small

# %% name="set-up"
from minitorch_course import check, inputs, report, setup

setup()

# %% name="count" tags=["exercise"]
def count(n):
    # BEGIN SOLUTION count to n
    i = 0
    while i < n:
        i = i + 1
    return i
    # END SOLUTION

# %% name="count-check" tags=["check"] exercise="count"
check("a number", lambda: count(3), 3)

# %% name="count-test" tags=["hidden-test"] exercise="count" points=2 hint="Stop."
report(count(inputs.integers(low=1)))

# %% name="more-test" tags=["hidden-test"] exercise="count" points=0 hint="Stop."
report(count(2))

# %% name="last-test" tags=["hidden-test"] exercise="count" points=1 hint="Stop."
report(count(0))
"""
ENDLESS = "def count(n):\n    while n:\n        pass\n    return n\n"
DEADLY = "import os\ndef count(n):\n    os._exit(0)\n"


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    path = tmp_path_factory.mktemp("notebooks") / "16_small.py"
    path.write_text(SOURCE, "utf-8")
    with Runner(read_source(path), limit=60) as runner:
        yield runner


def statuses(runner, code):
    return [result.status for result in runner.grade({"count": code}).values()]


def test_hidden_tests_run_in_another_process_any_number_of_times(runner):
    assert [p.status for p in runner.grade().values()] == ["passed"] * 3
    assert statuses(runner, "def count(n):\n    return n + 1\n") == ["wrong"] * 3
    assert [p.status for p in runner.grade(seed=5).values()] == ["passed"] * 3


def test_checks_are_run_there_too(runner):
    assert [(c.case, c.passed) for c in runner.check()] == [("a number", True)]
    assert [c.passed for c in runner.check({"count": "def count(n):\n    return 0\n"}, "count")] == [False]
    assert runner.check(exercise="other") == []


def test_the_first_lost_test_with_points_is_found(runner):
    assert runner.first_failed_test("count", "def count(n):\n    return int(n)\n") is None
    assert runner.first_failed_test("count", "def count(n):\n    return 7 if n == 0 else int(n)\n").name == "last-test"
    assert runner.first_failed_test("count", "def count(n):\n    return 7 if n == 2 else int(n)\n") is None
    assert [p.status for p in runner.grade().values()] == ["passed"] * 3, "the runner goes on after it was cut short"


@pytest.mark.costly
def test_an_endless_loop_and_a_dead_process_lose_points_and_the_next_answer_is_graded(runner):
    first, *others = runner.grade({"count": DEADLY}).values()
    assert (first.status, first.message) == (
        "error",
        "Python itself ended here: did the code call exit, or did it crash?",
    )
    assert [p.status for p in others] == ["not run"] * 2
    assert runner.first_failed_test("count", ENDLESS).status == "timeout"
    assert [p.status for p in runner.grade().values()] == ["passed"] * 3


def test_a_failing_reference_is_reported(tmp_path):
    path = tmp_path / "16_small.py"
    path.write_text(SOURCE.replace("report(count(0))", "report(count(missing))"), "utf-8")
    with Runner(read_source(path)) as runner, pytest.raises(ValueError, match="the cell 'last-test' fails: NameError"):
        runner.grade()


def test_a_closed_runner_starts_again(runner):
    runner.close()
    runner.close()
    assert [p.status for p in runner.grade().values()] == ["passed"] * 3
