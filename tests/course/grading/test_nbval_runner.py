"""Notebooks run by nbval in grading kernels, and the verdicts on their hidden tests."""

import dataclasses

import pytest

from minitorch_course.grading.kernel_pool import KernelPool
from minitorch_course.grading.kernel_process import KernelConfig
from minitorch_course.grading.merge import CodeCell
from minitorch_course.grading.nbval_runner import run_cells
from minitorch_course.grading.sandbox import Limits

pytestmark = pytest.mark.costly

BEGIN = "from minitorch_course import inputs, report; inputs.begin('test')\n"
LIMITS = Limits(notebook_seconds=100, output=2**20)


def cells_of(*codes, test="report(f(inputs.normal(3)))"):
    cells = [CodeCell(f"cell {i}", "exercise", code) for i, code in enumerate(codes)]
    return [*cells, CodeCell("test", "hidden-test", BEGIN + test)]


@pytest.fixture(scope="module")
def kernels():
    """A KernelPool without a sandbox, so that these tests run on every system."""
    with KernelPool(
        KernelConfig({"MINITORCH_REPORT": "values", "MINITORCH_SEED": "3"}, LIMITS, sandboxed=False)
    ) as kernels:
        yield kernels


@pytest.fixture(scope="module")
def key():
    with KernelPool(
        KernelConfig({"MINITORCH_REPORT": "key", "MINITORCH_SEED": "3"}, LIMITS, sandboxed=False)
    ) as kernels:
        mistakes = "report(f(inputs.normal(3)), mistakes={'It is the square.': lambda: inputs.drawn[0] ** 2})"
        [*_, test] = run_cells(cells_of("def f(x):\n    return 2 * x", test=mistakes), kernels)
    assert (test.verdict.status, len(test.values)) == ("passed", 1)
    return {"test": test.values}


def judged(kernels, key, *codes, **options):
    return run_cells(cells_of(*codes, **options), kernels, key)[-1].verdict


def test_the_right_value_passes(kernels, key):
    assert judged(kernels, key, "def f(x):\n    return x + x").status == "passed"


def test_a_known_mistake_is_named(kernels, key):
    verdict = judged(kernels, key, "def f(x):\n    return x * x")
    assert (verdict.status, verdict.message) == ("wrong", "It is the square.")
    assert (verdict.given, verdict.expected) == ("float32 (3,)", "float32 (3,)")


def test_a_wrong_shape_is_reported_without_the_numbers(kernels, key):
    verdict = judged(kernels, key, "def f(x):\n    return 2 * x[:2]")
    assert (verdict.status, verdict.given, verdict.expected) == ("wrong", "float32 (2,)", "float32 (3,)")
    assert (
        verdict.message
        == "The result has shape (2,), where (3,) is expected: axis 0 is one too short, so look for an off-by-one."
    )


def test_an_error_is_explained_in_the_students_terms(kernels, key):
    verdict = judged(kernels, key, "def f(x):\n    return x @ jnp.ones(4)", "import jax.numpy as jnp")
    assert verdict.status == "error"
    assert "It happened in `f` on line 2" in verdict.error


def test_a_wrong_value_comes_before_the_error_after_it(kernels, key):
    verdict = judged(kernels, key, "def f(x):\n    return x", test="report(f(inputs.normal(3)))\n1 / 0")
    assert (verdict.status, verdict.error) == ("wrong", None)


def test_the_right_value_and_then_an_error_does_not_pass(kernels, key):
    verdict = judged(kernels, key, "def f(x):\n    return 2 * x", test="report(f(inputs.normal(3)))\n1 / 0")
    assert (verdict.status, verdict.message) == ("error", None)


@pytest.mark.parametrize("shows", ["", "report(f(inputs.normal(3)))\n" * 2])
def test_missing_and_extra_values_do_not_pass(kernels, key, shows):
    verdict = judged(kernels, key, "def f(x):\n    return 2 * x", test=shows)
    assert verdict.status == "wrong"
    assert verdict.message in ("Values reported: 0; expected: 1.", "Values reported: 2; expected: 1.")


def test_a_cell_that_fails_does_not_stop_the_next(kernels, key):
    results = run_cells(cells_of("1 / 0", "def f(x):\n    return 2 * x"), kernels, key)
    assert [result.verdict.status for result in results] == ["error", "passed", "passed"]


def test_messages_are_the_same_in_each_run(kernels, key):
    code = "def f(x):\n    raise ValueError(repr(object()))"
    first, second = (judged(kernels, key, code) for _ in range(2))
    assert "object at 0x..." in first.error
    assert first.error == second.error


def test_each_notebook_has_a_kernel_of_its_own(kernels, key):
    judged(kernels, key, "import sys\nsys.left_behind = True")
    assert (
        judged(kernels, key, "import sys\ndef f(x):\n    return 2 * x if not hasattr(sys, 'left_behind') else 0").status
        == "passed"
    )


def test_a_kernel_can_be_started_ahead(kernels, key):
    kernels.prestart()
    assert judged(kernels, key, "def f(x):\n    return 2 * x").status == "passed"


def limited(kernels, **limits):
    return KernelPool(dataclasses.replace(kernels.config, limits=dataclasses.replace(LIMITS, **limits)))


def test_when_the_time_of_the_notebook_is_up_the_rest_does_not_run(kernels, key):
    with limited(kernels, notebook_seconds=10) as short:
        cell, test = run_cells(cells_of("while True:\n    pass"), short, key)
    assert (cell.verdict.status, test.verdict.status) == ("timeout", "not run")
    assert test.verdict.message == "The notebook was stopped after 10 seconds."


def test_after_python_ends_the_cells_before_run_again_except_those_that_end_it(kernels, key):
    cells = ["def f(x):\n    return 2 * x", "g = f", "import os\nos._exit(1)", "f = g"]
    results = run_cells(cells_of(*cells), kernels, key)
    assert [result.verdict.status for result in results] == ["passed", "passed", "error", "passed", "passed"]
    assert results[2].verdict.error == "Python itself ended here: did the code call exit, or did it crash?"


def test_a_kernel_that_does_not_start_is_an_error_with_its_standard_error(kernels):
    broken = dataclasses.replace(kernels.config, hidden_functions=["jax.nothing"])
    with (
        KernelPool(broken) as kernels,
        pytest.raises(RuntimeError, match=r"did not start(.|\n)*jax.nothing does not exist"),
    ):
        run_cells(cells_of("f = 1"), kernels)


def test_more_than_a_kernel_may_send_ends_the_cell_only(kernels, key):
    results = run_cells(cells_of("print('x' * 3_000_000)", "def f(x):\n    return 2 * x"), kernels, key)
    assert [result.verdict.status for result in results] == ["error", "passed", "passed"]
    assert results[0].verdict.error == "More than 1 MB were printed or shown."


def test_the_sandbox_makes_no_difference(sandbox, kernels, key):
    with KernelPool(dataclasses.replace(kernels.config, sandboxed=True)) as inside:
        for code in ("def f(x):\n    return x + x", "def f(x):\n    return x", "def f(x):\n    return 1 / 0"):
            a, b = judged(kernels, key, code), judged(inside, key, code)
            assert (a.status, a.message, a.error) == (b.status, b.message, b.error)
