"""What a submission's text shows, without running it."""

import pytest

from minitorch_course._ipynb import StudentCell as Cell
from minitorch_course.grading.grading_env import share_operations
from minitorch_course.grading.inspect_code import inspect_code
from minitorch_course.grading.merge import merge

RIGHT = {"softmax": "def softmax(x):\n    return jnp.exp(x)", "scaled": "def scaled(a, b):\n    return [a, b]"}


def inspected(notebook, *added, **given):
    cells = [Cell(f"mine-{i}", True, code) for i, code in enumerate(added)]
    cells += [Cell(name, True, code) for name, code in {**RIGHT, **given}.items()]
    return inspect_code(notebook, merge(notebook, cells))


def added_code(inspection):
    return [cell.source for cell in inspection.cells if cell.kind == "added"]


def test_usual_code_costs_nothing_and_runs_as_it_is(tiny):
    added = "%matplotlib inline\nhelper = lambda x: x\n%timeit helper(1)"
    found = inspected(tiny, added)
    assert (found.costs, found.flags, added_code(found)) == ({}, [], [added])


def test_only_the_statements_of_added_cells_that_use_what_is_forbidden_are_not_run(tiny):
    found = inspected(tiny, "def helper(x):\n    return x\nprint(jax.nn.softmax(helper(1)))\nexec('y = 1')\nz = 2")
    assert added_code(found) == ["def helper(x):\n    return x\nz = 2"]
    assert found.flags == ["an added cell calls jax.nn.softmax", "an added cell uses exec"]
    assert found.costs == {}


@pytest.mark.parametrize(
    ("softmax", "what"),
    [
        ("exec('softmax = 1')", "exec"),
        ("import importlib\nsoftmax = 1", "importlib"),
        ("from jax._src import nn\nsoftmax = 1", "jax._src.nn"),
        ("def softmax(x)\n    return x", "code that Python cannot read"),
    ],
)
def test_means_cost_the_points_of_an_exercise_that_forbids(tiny, softmax, what):
    assert inspected(tiny, softmax=softmax).costs == {"softmax": f"softmax may not use {what}, as it does on line 1."}


def test_means_are_a_remark_in_an_exercise_that_forbids_nothing(tiny):
    found = inspected(tiny, scaled="import importlib\ndef scaled(a, b):\n    return [a, b]")
    assert (found.costs, found.flags) == ({}, ["scaled uses importlib (line 1)"])


def test_a_forbidden_function_in_the_cell_of_another_exercise_costs_those_who_call_it(tiny):
    theirs = "def scaled(a, b):\n    return [a, b]\ndef helper(x):\n    return jax.nn.softmax(x)"
    assert inspected(tiny, scaled=theirs).costs == {}
    found = inspected(tiny, scaled=theirs, softmax="def softmax(x):\n    return helper(x)")
    assert found.costs == {"softmax": "softmax may not use jax.nn.softmax, as the cell of scaled does on line 4."}
    assert found.flags == ["scaled calls jax.nn.softmax (line 4)"]


def test_imports_of_added_cells_count(tiny):
    found = inspected(tiny, "import jax.nn as mine", softmax="softmax = lambda x: mine.softmax(x)")
    assert found.costs == {"softmax": "softmax may not use jax.nn.softmax, as it does on line 1."}


def test_a_cell_that_defines_another_exercises_function_is_a_remark(tiny):
    found = inspected(tiny, "def softmax(x):\n    return x", scaled="softmax = scaled = lambda *x: x")
    assert found.flags == ["an added cell defines softmax", "scaled defines softmax"]


def test_students_kernels_get_compiled_operations_and_no_program_of_the_notebook(tiny, tmp_path):
    """Source of the names: JAX names a program after the function that was compiled."""
    programs, shared = tmp_path / "programs", tmp_path / "shared"
    for folder in (programs, shared):
        folder.mkdir()
    names = ["jit_add", "jit__einsum", "jit_softmax", "jit_scaled", "jit_scan", "jit_while", "jit__lambda", "jit_step"]
    for name in names:
        (programs / f"{name}-0f1e-cache").write_bytes(b"")
    share_operations(programs, shared, tiny)
    assert sorted(path.name for path in shared.iterdir()) == ["jit__einsum-0f1e-cache", "jit_add-0f1e-cache"]
