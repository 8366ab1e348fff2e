"""What a student's code may try: nothing of it earns a point, and nothing of it reaches beyond its own grade.

The attacks are the cells of the files in `attacks`, each run in the sandbox and under small limits.
"""

import re
from pathlib import Path

import pytest

from minitorch_course._packages import LIBRARY

ATTACKS = Path(__file__).parent / "attacks"
WRONG = {"softmax": "def softmax(x):\n    return x", "scaled": "def scaled(a, b):\n    return [a, b]"}


def cells(kind):
    """The cells of a file by title: of `# %% output -> too much` what is told, too."""
    text = (ATTACKS / f"{kind}.py").read_text("utf-8")
    return dict(re.findall(r"^# %% (.+)\n((?:(?!# %% ).*\n)+)", text, re.MULTILINE))


def each(kind):
    return pytest.mark.parametrize(("title", "code"), [pytest.param(*item, id=item[0]) for item in cells(kind).items()])


def earned(row, exercise):
    return sum(probe["earned"] for probe in row["probes"] if probe["name"].startswith(exercise))


def told(row):
    return " ".join(str(text) for probe in row["probes"] for text in (probe["message"], probe["error"]) if text)


@each("forged")
def test_nothing_but_right_values_earns_a_point(graded, answers, title, code):
    row = graded(answers(added=[code], **WRONG))
    assert (row["status"], row["points"]) == ("graded", 0)


@each("values")
def test_only_the_right_numbers_are_right(graded, answers, title, code):
    row = graded(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


@each("copied")
def test_a_function_that_is_to_be_written_is_not_there(graded, answers, title, code):
    row = graded(answers(added=["def helper(x):\n    return jax.nn.softmax(x)"], softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert "an added cell calls jax.nn.softmax" in row["flags"]


def test_a_forbidden_call_costs_the_points_even_where_it_is_not_used(graded, answers):
    right = "def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()"
    row = graded(answers(softmax=f"{right}\n\ndef unused(x):\n    return jax.nn.softmax(x)"))
    assert "softmax calls jax.nn.softmax (line 6)" in row["flags"]
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert "softmax may not use jax.nn.softmax, as it does on line 6." in told(row)


@each("ended")
def test_what_ends_python_costs_only_the_probe(graded, answers, title, code):
    row = graded(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


def test_a_cell_that_ends_python_when_it_is_defined_costs_only_itself(graded, answers):
    row = graded(answers(softmax="import os\nos._exit(0)"))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)


def test_python_that_ends_later_costs_no_more_than_this_student(graded, answers):
    bomb = "import os, threading\nthreading.Timer(0.05, lambda: os._exit(0)).start()"
    assert graded(answers(added=[bomb]))["status"] == "graded"
    assert graded(answers())["points"] == 6


@each("taken")
def test_who_takes_too_much_is_told_so_in_one_line(graded, impatient, answers, title, code):
    message = title.partition(" -> ")[2]
    row = (impatient if "seconds" in message else graded)(answers(softmax=code))
    assert (earned(row, "softmax"), earned(row, "scaled")) == (0, 3)
    assert message in told(row)


@each("bombs")
def test_whatever_is_tried_the_next_student_is_graded(impatient, graded, answers, title, code):
    assert earned(impatient(answers(softmax=code)), "softmax") == 0
    assert graded(answers())["points"] == 6


@each("seen")
def test_nothing_of_the_host_is_within_reach(graded, answers, tiny, title, code):
    where = f"SOURCE, ROOT, PACKAGE = {str(tiny.path)!r}, {str(tiny.path.parents[1])!r}, {str(LIBRARY)!r}"
    tools = cells("tools")["look and search"]
    scaled = "def scaled(a, b):\n    assert not found, found\n    return [SCALE * a, SCALE * b]"
    row = graded(answers(added=[f"{where}\n{tools}\n{code}"], scaled=scaled))
    assert (earned(row, "scaled"), told(row)) == (3, "")
