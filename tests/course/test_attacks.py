"""Attacks by a student's code: none earns a point, and none affects anything but its own grade.

The attacks are the cells of the files in `attacks`, each run in the sandbox with small limits.
"""

import re
from pathlib import Path

import pytest

from minitorch_course._packages import PACKAGES
from minitorch_course.grading import grade_submission
from minitorch_course.grading.inspect_code import Inspection

pytestmark = pytest.mark.costly

ATTACKS = Path(__file__).parent / "attacks"
WRONG = {"softmax": "def softmax(x):\n    return x", "scaled": "def scaled(a, b):\n    return [a, b]"}


def cells(kind):
    """Return the cells of a file by title; the title may hold the expected message: `# %% output -> too much`."""
    text = (ATTACKS / f"{kind}.py").read_text("utf-8")
    return dict(re.findall(r"^# %% (.+)\n((?:(?!# %% ).*\n)+)", text, re.MULTILINE))


def each(kind):
    return pytest.mark.parametrize(("title", "code"), [pytest.param(*item, id=item[0]) for item in cells(kind).items()])


def earned(row, exercise):
    return sum(test["earned"] for test in row["tests"] if test["name"].startswith(exercise))


def messages(row):
    return " ".join(str(text) for test in row["tests"] for text in (test["message"], test["error"]) if text)


@pytest.fixture
def without_inspection(monkeypatch):
    """Run all code as it is: the sandbox and the comparison of values must hold by themselves."""
    monkeypatch.setattr(grade_submission, "inspect_code", lambda notebook, merged: Inspection({}, [], merged.cells))


@each("forged")
def test_nothing_but_right_values_earns_a_point(graded, answers, without_inspection, title, code):
    row = graded(answers(added=[code], **WRONG))
    assert (row["status"], row["points"]) == ("graded", 0)


@each("values")
def test_only_the_right_numbers_are_right(graded, answers, title, code):
    row = graded(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


@each("copied")
def test_a_function_that_students_must_write_is_missing(graded, answers, title, code):
    row = graded(answers(added=["def helper(x):\n    return jax.nn.softmax(x)"], softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert "an added cell calls jax.nn.softmax" in row["flags"]


def test_a_forbidden_call_costs_the_points_even_where_it_is_not_used(graded, answers):
    right = "def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()"
    row = graded(answers(softmax=f"{right}\n\ndef unused(x):\n    return jax.nn.softmax(x)"))
    assert "softmax calls jax.nn.softmax (line 6)" in row["flags"]
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert "softmax may not use jax.nn.softmax, as it does on line 6." in messages(row)


@each("added")
def test_added_cells_earn_no_points_of_exercises_that_are_not_solved(graded, answers, title, code):
    row = graded(answers(added=[code], softmax="raise NotImplementedError", scaled="raise NotImplementedError"))
    assert (row["status"], row["points"]) == ("graded", 0)
    assert any("an added cell" in flag for flag in row["flags"])
    assert row["added"] == [code]


@each("ended")
def test_what_ends_python_costs_only_the_hidden_test(graded, answers, without_inspection, title, code):
    row = graded(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


def test_a_cell_that_ends_python_when_it_is_defined_costs_only_itself(graded, answers):
    row = graded(answers(softmax="import os\nos._exit(0)"))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


def test_python_that_ends_later_costs_no_more_than_this_student(graded, answers, without_inspection):
    bomb = "import os, threading\nthreading.Timer(0.05, lambda: os._exit(0)).start()"
    assert graded(answers(added=[bomb]))["status"] == "graded"
    assert graded(answers())["points"] == 6


@each("taken")
def test_exceeding_a_limit_gives_one_line_about_it(graded, impatient, answers, title, code):
    message = title.partition(" -> ")[2]
    row = (impatient if "seconds" in message else graded)(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert message in messages(row)


@each("bombs")
def test_whatever_is_tried_the_next_student_is_graded(impatient, graded, answers, title, code):
    assert earned(impatient(answers(softmax=code)), "softmax") == 0
    assert graded(answers())["points"] == 6


@each("seen")
def test_nothing_of_the_host_is_reachable(graded, answers, without_inspection, tiny, title, code):
    packages = [str(package) for package in PACKAGES]
    where = f"SOURCE, ROOT, PACKAGES = {str(tiny.path)!r}, {str(tiny.path.parents[1])!r}, {packages!r}"
    tools = cells("tools")["look and search"]
    scaled = "def scaled(a, b):\n    assert not found, found\n    return [SCALE * a, SCALE * b]"
    row = graded(answers(added=[f"{where}\n{tools}\n{code}"], scaled=scaled))
    assert (earned(row, "scaled"), messages(row)) == (3, "")
