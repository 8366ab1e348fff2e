"""`verify` and `grade` give the same verdict, in the same words."""

import contextlib
import dataclasses

import pytest

from minitorch_course.author.runner import Runner
from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.grade_submission import grade_submission
from minitorch_course.grading.grading_env import GradingConfig, GradingEnv
from minitorch_course.grading.kernel_pool import KernelPool
from minitorch_course.grading.sandbox import Limits

pytestmark = pytest.mark.costly

SEED = 11
ANSWERS = {  # name: (the cell of `softmax`, the status of its first test, a part of its message)
    "right": ("def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()", "passed", ""),
    "wrong": ("def softmax(x):\n    return jnp.exp(x)", "wrong", "The exponentials are not divided by their sum."),
    "wrong shape": ("def softmax(x):\n    return x[:3]", "wrong", "shape (3,)"),
    "wrong type": ("def softmax(x):\n    return 'the right answer'", "wrong", "is a str"),
    "unserializable": ("def softmax(x):\n    return softmax", "wrong", "function"),
    "nested too deep": ("def softmax(x):\n    a = []\n    a.append(a)\n    return a", "error", "nested more than"),
    "extra value": (
        "def softmax(x):\n    report(x)\n    e = jnp.exp(x - x.max())\n    return e / e.sum()",
        "wrong",
        "",
    ),
    "an error before the first value": ("def softmax(x):\n    raise KeyError('x')", "error", ""),
    "raising": ("def softmax(x):\n    return x @ jnp.ones(4)", "error", "It happened in `softmax` on line 2"),
    "raising an address": ("def softmax(x):\n    raise ValueError(repr(object()))", "error", "object at 0x..."),
    "raising SystemExit": ("def softmax(x):\n    raise SystemExit", "error", "The cell was ended by SystemExit."),
    "not written": ("def softmax(x):\n    raise NotImplementedError('exp')", "error", "Not written yet: exp"),
    "too slow": ("def softmax(x):\n    while True:\n        pass", "timeout", "No end after 4 seconds"),
    "ending Python": ("import os\ndef softmax(x):\n    os._exit(0)", "error", "Python itself ended here"),
    "missing": ("", "error", "The name `softmax` is not defined here"),
    "not Python": ("def softmax(x):\n    return (", "error", "The cell of softmax stopped"),
    "a cell that stops": ("1 / 0\ndef softmax(x):\n    return x", "error", "The cell of softmax stopped"),
}


@pytest.fixture(scope="module")
def grade(tiny, answers):
    """`grade(code, seconds)` is the rows of the hidden tests in `grades.json`, by name.

    There is no sandbox, so that the test runs on every system.
    """
    with contextlib.ExitStack() as stack:
        env = stack.enter_context(GradingEnv(GradingConfig(tiny, SEED, sandboxed=False)))
        key, pools = env.key(), {}

        def grade(code, seconds):
            if seconds not in pools:
                config = dataclasses.replace(env.kernel_config(), limits=Limits(cell_seconds=seconds))
                pools[seconds] = stack.enter_context(KernelPool(config))
            files = SubmissionFiles("s01", {"07_tiny.ipynb": answers(**code)})
            tests = grade_submission(files, tiny, key, pools[seconds]).row["tests"]
            pools[seconds].prestart()  # The next kernel starts while the runner works.
            return {test["name"]: test for test in tests}

        yield grade


@pytest.fixture(scope="module")
def verify(tiny):
    """`verify(code, seconds)` is the results of the same tests in a `Runner`, by name."""
    with Runner(tiny) as runner:

        def verify(code, seconds):
            runner.limit = 60
            runner.grade(seed=SEED)  # Start the child, should the last answer have ended it.
            runner.limit = seconds
            return runner.grade(code, SEED)

        yield verify


def assert_same(graded, verified):
    assert (graded["status"], graded["message"] or graded["error"] or "") == (verified.status, verified.message)


@pytest.mark.parametrize(("code", "status", "message"), ANSWERS.values(), ids=ANSWERS)
def test_both_say_the_same(grade, verify, code, status, message):
    answer, seconds = {"softmax": code}, 4 if status == "timeout" else 60
    graded, verified = grade(answer, seconds)["softmax-test"], verify(answer, seconds)["softmax-test"]
    assert_same(graded, verified)
    assert verified.status == status
    assert message in verified.message


def test_both_count_missing_values(grade, verify):
    code = "def scaled(a, b):\n    globals().update(report=lambda *a: None)\n    return [SCALE * a, SCALE * b]"
    graded, verified = grade({"scaled": code}, 60), verify({"scaled": code}, 60)
    for name in ("softmax-test", "softmax-large", "scaled-test"):
        assert_same(graded[name], verified[name])
    assert verified["scaled-test"].message == "Values reported: 1; expected: 2."
