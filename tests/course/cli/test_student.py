import functools
import re
import subprocess
import sys
import types
import zipfile

import pytest

from minitorch_course.student.progress import State
from minitorch_course.student.skills import SKILLS

pytestmark = pytest.mark.slow


@pytest.fixture
def course(minitorch):
    """`course(*arguments)` returns the exit code and both outputs of `minitorch course ...`."""
    return functools.partial(minitorch, "course")


def test_start_copies_the_notebook(course, tmp_path):
    folder = tmp_path / "mein Kurs é"
    code, out, err = course("start", "02", "--workspace", folder, "--no-open")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{folder / '02_autodiff.ipynb'} is ready.",
        "Later: `minitorch course check 02` checks it, `minitorch course submit 02` packs it.",
        f'Open it with: jupyter lab "{folder / "02_autodiff.ipynb"}"',
    ]
    (folder / "02_autodiff.ipynb").write_text("mine", "utf-8")
    code, out, _ = course("start", "02", "--workspace", folder, "--no-open")
    assert code == 0
    assert "exists already and stays as it is." in out
    assert (folder / "02_autodiff.ipynb").read_text("utf-8") == "mine"


@pytest.fixture
def jupyterlab(monkeypatch):
    """Pretend that JupyterLab is installed; nothing here runs it."""
    monkeypatch.setitem(sys.modules, "jupyterlab", types.ModuleType("jupyterlab"))


def test_start_opens_jupyterlab_in_the_folder(course, tmp_path, monkeypatch, jupyterlab):
    calls = []
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: calls.append((args, options)))
    assert course("start", "02", "--workspace", tmp_path)[0] == 0
    assert calls == [(([sys.executable, "-m", "jupyterlab", "02_autodiff.ipynb"],), {"cwd": tmp_path, "check": False})]


def test_ctrl_c_in_jupyterlab_is_not_an_error(course, tmp_path, monkeypatch, jupyterlab):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", stopped)
    assert course("start", "02", "--workspace", tmp_path)[0] == 0


def test_without_jupyterlab_the_install_command_is_named(course, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    code, _, err = course("start", "02", "--workspace", tmp_path)
    assert code == 1
    assert "Opening a notebook needs the package jupyterlab, which is not installed: pip install" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["start", "check", "submit"])
def test_an_unknown_notebook_is_reported_with_the_known_ones(course, tmp_path, command):
    code, _, err = course(command, "99", "--workspace", tmp_path)
    assert code == 1
    assert err.startswith("minitorch: No notebook is called '99'. There are: ")
    assert "02_autodiff" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "submit"])
def test_an_unstarted_notebook_is_reported_with_the_command(course, tmp_path, command):
    code, _, err = course(command, "02", "--workspace", tmp_path)
    assert code == 1
    assert "begin with `minitorch course start 02`" in err


def test_progress_without_notebooks_names_the_command(course, tmp_path):
    code, _, err = course("progress", "--workspace", tmp_path)
    assert code == 1
    assert "run `minitorch course start 00`" in err


@pytest.fixture
def started(course, tmp_path):
    course("start", "02", "--workspace", tmp_path, "--no-open")
    return tmp_path


def give(monkeypatch, *states):
    monkeypatch.setattr("minitorch_course.student.progress.check_notebook", lambda path, limit, each: list(states))


def test_check_lists_the_exercises_and_fails_while_one_is_wrong(course, started, monkeypatch):
    give(
        monkeypatch,
        State("softmax", False, True),
        State("unbroadcast", False, False, "a row: axis [0] is missing"),
        State("backward", False, None, "not reached"),
        State("jvp", True, False, "not written yet"),
    )
    code, out, _ = course("check", "02", "--workspace", started)
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()] == ["ok", "not", "unknown", "stretch", "1"]
    assert "unbroadcast  a row: axis [0] is missing" in out
    assert out.endswith("1 of 3 exercises are correct.\n")


def test_check_succeeds_if_all_but_the_stretch_are_correct(course, started, monkeypatch):
    give(monkeypatch, State("softmax", False, True), State("jvp", True, False, "not written yet"))
    code, out, _ = course("check", "02", "--workspace", started)
    assert code == 0
    assert out.endswith("1 of 1 exercises are correct.\n")


def test_progress_shows_a_bar_for_each_notebook(course, started):
    code, out, _ = course("progress", "--workspace", started)
    assert code == 0
    assert out.startswith("02_autodiff  ")
    assert "0 of " in out


def test_progress_fills_six_skills_in_the_terminal_and_on_a_page(course, started, tmp_path):
    code, out, _ = course("progress", "--workspace", started, "--page", tmp_path / "own" / "progress.html")
    page = (tmp_path / "own" / "progress.html").read_text("utf-8")
    assert code == 0
    for skill in SKILLS:
        (share,) = re.findall(rf"^{skill} .* (0 of \d+) *$", out, re.MULTILINE)
        assert re.search(rf"<span>{skill}</span>.*?>{share}</span>", page)
    assert "02_autodiff" in page
    assert "http://" not in page
    assert "https://" not in page


def test_progress_rejects_a_folder_as_its_page(course, started):
    code, _, err = course("progress", "--workspace", started, "--page", started)
    assert code == 2
    assert "is a directory" in err
    assert started.is_dir()


def test_submit_prints_a_receipt(course, started):
    code, out, _ = course("submit", "02", "--workspace", started, "--student", "Ångström")
    assert code == 0
    assert f"file      {started / '02_autodiff-submission.zip'}" in out
    assert "student   Ångström" in out
    assert "in which 0 of " in out
    assert zipfile.is_zipfile(started / "02_autodiff-submission.zip")


@pytest.mark.parametrize("command", ["start", "check", "progress", "submit"])
def test_every_command_has_help(course, command):
    code, out, _ = course(command, "--help")
    assert code == 0
    assert "--workspace" in out


def test_wrong_usage_exits_with_2(course):
    assert course("start")[0] == 2
