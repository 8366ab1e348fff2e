"""Forty submissions of the real notebook 02, each written to earn a certain grade: each gets exactly that grade."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.gradebook.results import AS_REFERENCE
from minitorch_course.grading.grade_class import GradingOptions, grade_class, local_engine
from minitorch_course.grading.sandbox import Limits

sys.path.insert(0, str(Path(__file__).parent))
from class_of_forty import DUE, NAME, ROOT, Maker, forty, write

pytestmark = pytest.mark.costly

LIMITS = Limits(cell_seconds=20, notebook_seconds=200, output=2**20)
AGAIN = ("s03", "s18", "s21", "s27", "s37")  # graded a second time: right, wrong, unfinished, broken, hostile


@pytest.fixture(scope="module")
def maker():
    return Maker()


@pytest.fixture(scope="module")
def made(maker):
    return forty(maker)


def test_the_class_is_of_forty_who_differ(maker, made):
    assert [row.student for row in made] == [f"s{number:02}" for number in range(1, 41)]
    assert len({row.about for row in made}) == 40
    assert {name for row in made for name in row.loses} == set(maker.tests)
    assert [row.about for row in made if row.student in AGAIN] == [
        "own style: loops",
        "wrong: value_and_grad",
        "the first 3 exercises",
        "submitted twice",
        "ends Python",
    ]


def graded(submissions, out, done=lambda *_: None):
    options = GradingOptions(seed=20261130, due=DUE, limits=LIMITS)
    return grade_class(submissions, out, CourseLayout(ROOT), NAME, options, local_engine(2), done)


def problems(maker, row, got):
    """Yield a line for each difference from the intended grade."""
    lost = [test["name"] for test in got["tests"] if test["status"] != "passed"]
    said = "\n".join(str(test[what]) for test in got["tests"] for what in ("message", "error"))
    wanted = {
        "status": "failed" if row.reason else "graded",
        "lost": maker.tests if row.reason else [name for name in maker.tests if name in row.loses],
        "late": row.late,
        "flags": list(row.flags),
    }
    wanted["points"] = sum(cell.points for cell in maker.notebook.of("hidden-test") if cell.name not in wanted["lost"])
    earned = sum(test["earned"] for test in got["tests"])
    found = {**{key: got[key] for key in ("status", "late", "flags", "points")}, "lost": lost}
    found["flags"] = [flag for flag in found["flags"] if not flag.startswith(AS_REFERENCE)]  # Most are built from it.
    for key, value in wanted.items():
        if found[key] != value:
            yield f"{row.student} ({row.about}): {key} is {found[key]}, and should be {value}"
    if earned != got["points"]:
        yield f"{row.student} ({row.about}): {earned} points by test, {got['points']} in all"
    if not (got["reason"] or "").startswith(row.reason) or bool(got["reason"]) != bool(row.reason):
        yield f"{row.student} ({row.about}): the reason is {got['reason']!r}"
    for words in row.says:
        if words not in said:
            yield f"{row.student} ({row.about}): nothing says {words!r}"


def test_each_gets_its_intended_grade_and_the_same_again(sandbox, maker, made, tmp_path):
    """One test, so that forty notebooks run once, whoever runs the tests."""
    calls = []
    write(made, tmp_path / "all")
    grades = graded(tmp_path / "all", tmp_path / "first", lambda *call: calls.append(call))
    assert sorted(calls) == [(number, 40) for number in range(1, 41)]
    by_name = {student["student"]: student for student in grades["students"]}
    assert [line for row in made for line in problems(maker, row, by_name[row.student])] == []

    some = tmp_path / "some"
    some.mkdir()
    for entry in (tmp_path / "all").iterdir():
        if entry.stem in AGAIN:
            shutil.copy(entry, some)
    graded(some, tmp_path / "second")
    for student in AGAIN:
        first, second = (tmp_path / which / "feedback" / f"{student}.html" for which in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
        rows = [
            json.loads((tmp_path / which / "results" / f"{student}.json").read_text("utf-8"))["row"]
            for which in ("first", "second")
        ]
        assert rows[0] == rows[1]
