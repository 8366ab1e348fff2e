import functools
import json
import sys

import pytest

from minitorch_course.cli.export import Target
from minitorch_course.gradebook.export import TARGETS


@pytest.fixture
def run(minitorch):
    """`run(*arguments)` returns the exit code and both outputs of `minitorch course ...`."""
    return functools.partial(minitorch, "course")


@pytest.fixture
def grades(tmp_path):
    folder = tmp_path / "my grades"
    folder.mkdir()
    student = {"student": "s01", "status": "graded", "reason": None, "points": 2, "submitted": None, "late": False}
    student |= {"flags": [], "tests": [{"name": "p", "earned": 2, "status": "passed"}], "exercises": {"e": "x = 1"}}
    content = {"format": 1, "notebook": "02_autodiff", "title": "Autodiff", "seed": 1, "points": 2, "sandbox": None}
    content |= {"versions": {}, "tests": [{"name": "p", "exercise": "e", "points": 2, "hint": "h"}]}
    (folder / "grades.json").write_text(json.dumps(content | {"students": [student]}), encoding="utf-8")
    return folder


def test_the_targets_are_those_of_the_exporter():
    assert tuple(Target) == TARGETS


@pytest.mark.parametrize(
    ("to", "out", "file", "part"),
    [
        ("csv", "grades.csv", ".", "s01,graded,2,2"),
        ("junit", "grades.xml", ".", "<testsuite "),
        ("canvas", "canvas.csv", ".", "Points Possible"),
        ("moodle", "moodle.csv", ".", "ID number,Autodiff"),
        ("moodle", "moodle.xml", ".", "<assignment>02_autodiff<"),
        ("gradescope", "gradescope", "s01/results.json", '"score": 2'),
    ],
)
def test_grades_are_exported(to, out, file, part, run, grades, tmp_path):
    code, said, _ = run("export", grades, "--to", to, "--out", tmp_path / out)
    assert code == 0
    assert said.strip() == str(tmp_path / out)
    assert part in (tmp_path / out / file).read_text(encoding="utf-8")


def test_missing_grades_are_reported_in_one_line(run, tmp_path):
    code, _, said = run("export", tmp_path, "--to", "csv", "--out", tmp_path / "x")
    assert code == 1
    assert said.count("\n") == 1
    assert "minitorch course grade" in said


@pytest.mark.parametrize("arguments", [["--to", "blackboard", "--out", "x"], ["--to", "csv"], ["--out", "x"], []])
def test_wrong_usage_is_reported(arguments, run, grades):
    code, _, said = run("export", grades, *arguments)
    assert code == 2
    assert "minitorch course export --help" in said


def test_a_lecture_is_built(run, tmp_path):
    pytest.importorskip("pypandoc")
    (tmp_path / "lectures").mkdir()
    for name in ("01_a", "02_b"):
        (tmp_path / "lectures" / f"{name}.md").write_text("---\ntitle: T\n---\n\n## S\n", encoding="utf-8")
    code, said, _ = run("lecture", "02", "--root", tmp_path, "--out", tmp_path / "out")
    assert code == 0
    assert said.split() == [str(tmp_path / "out" / f"02_b{end}.html") for end in ("", "-slides")]
    assert all((tmp_path / "out" / f"02_b{end}.html").exists() for end in ("", "-slides"))
    code, said, _ = run("lecture", "--root", tmp_path, "--out", tmp_path / "out")
    assert code == 0
    assert len(said.split()) == 4


def test_without_pandoc_the_install_command_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    (tmp_path / "lectures").mkdir()
    (tmp_path / "lectures" / "01_a.md").touch()
    code, _, said = run("lecture", "01", "--root", tmp_path)
    assert code == 1
    assert said.count("\n") == 1
    assert "pip install 'minitorch-course[lectures]'" in said


def test_a_missing_lecture_is_reported_in_one_line(run, tmp_path):
    code, _, said = run("lecture", "01", "--root", tmp_path)
    assert code == 1
    assert said.count("\n") == 1
    assert "no lecture" in said
