import json

import pytest

from minitorch_course import my_solution
from minitorch_course.student.progress import STATES
from minitorch_course.student.workspace import start

RIGHT = "def double(x):\n    return 2 * x"


def library(x):
    return "library"


@pytest.fixture
def notebook(small_course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return start("07", tmp_path)[0]


@pytest.fixture
def ask(capsys):
    def call(exercise):
        function = my_solution(exercise, otherwise=library)
        return function, capsys.readouterr().out.strip()

    return call


def test_what_passes_its_checks_is_used(notebook, write_exercise, ask):
    write_exercise(notebook, "double", RIGHT)
    function, says = ask("double")
    assert function(4) == 8
    assert says == "double: yours, from 07_small"


def test_what_it_needs_is_found_in_other_cells(notebook, write_exercise, ask):
    write_exercise(notebook, "double", RIGHT)
    write_exercise(notebook, "total", "def total(x):\n    return double(jnp.asarray(x)).sum() * ONE")
    function, says = ask("total")
    assert function([1.0, 2.0]) == 6
    assert says == "total: yours, from 07_small"


def test_what_fails_its_checks_gives_way_and_says_so(notebook, write_exercise, ask):
    write_exercise(notebook, "double", RIGHT + " + 1")
    assert ask("double") == (library, "double: the library's (yours does not pass its checks yet in 07_small)")


@pytest.mark.parametrize(
    "code", ["def double(x:", "%timeit 1", "1 / 0", "def double(x):\n    raise SystemExit", "x = 3"]
)
def test_broken_code_gives_way(notebook, write_exercise, ask, code):
    write_exercise(notebook, "double", code)
    assert ask("double")[0] is library


def test_what_is_not_written_gives_way(notebook, ask):
    assert ask("double") == (library, "double: the library's (yours is not written yet in 07_small)")


def test_an_exercise_that_no_notebook_here_has_is_the_librarys(small_course, tmp_path, monkeypatch, ask):
    monkeypatch.chdir(tmp_path)
    assert ask("double") == (library, "double: the library's")
    (tmp_path / "07_small.ipynb").write_text("{", "utf-8")
    assert ask("double") == (library, "double: the library's")


def test_while_grading_and_in_the_courses_own_notebooks_it_is_the_librarys(notebook, write_exercise, ask, monkeypatch):
    write_exercise(notebook, "double", RIGHT)
    monkeypatch.setenv("MINITORCH_REPORT", "values")
    assert ask("double") == (library, "double: the library's")
    monkeypatch.delenv("MINITORCH_REPORT")
    content = json.loads(notebook.read_text("utf-8"))
    content["cells"].append(content["cells"][2] | {"id": "p", "metadata": {"minitorch": {"kind": "hidden-test"}}})
    notebook.write_text(json.dumps(content), "utf-8")
    assert ask("double") == (library, "double: the library's")


def test_the_check_is_not_run_again_for_the_same_code(notebook, write_exercise, ask):
    write_exercise(notebook, "double", RIGHT)
    ask("double")
    write_exercise(notebook, "double-check", "raise RuntimeError")
    assert ask("double")[1] == "double: yours, from 07_small"
    record = json.loads((notebook.parent / STATES).read_text("utf-8"))
    assert record["07_small"]["double"]["state"]["done"] is True


def test_the_students_own_cells_print_nothing(notebook, write_exercise, ask):
    write_exercise(notebook, "double", "print('hello')\n" + RIGHT)
    assert ask("double")[1] == "double: yours, from 07_small"
