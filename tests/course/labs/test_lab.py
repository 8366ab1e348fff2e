"""`minitorch lab`: folders of labs, output, and exit codes."""

import json

import pytest

from minitorch_course.labs import registry, run_sandboxed
from minitorch_course.labs.lab_dir import create, find, lab_files
from minitorch_course.labs.registry import LABS, Lab
from minitorch_course.labs.review import Comment, Item, Review

pytestmark = pytest.mark.costly


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """A lab called docker, in an empty folder; its check returns `items`."""
    items = [Item("a", "First", 3), Item("b", "Second", 4, [Comment("x.py:3", "is wrong. Fix it.")])]
    responds = []

    def check(folder, respond):
        responds.append(respond)
        return Review("docker", items, ["A note."])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(LABS, "docker", Lab(lambda folder: create("docker", folder, lambda _: None), check))
    return items, responds


@pytest.fixture
def run(minitorch):
    """`run(*arguments)` returns the exit code and both outputs of `minitorch lab ...`, the second on one line."""

    def call(*arguments):
        code, out, err = minitorch("lab", *arguments)
        return code, out, " ".join(err.split())

    return call


def test_a_lab_is_started_once_and_found_from_inside(lab, run, monkeypatch, tmp_path):
    code, out, _ = run("start", "docker")
    assert code == 0
    assert "minitorch-labs/docker is ready" in out.replace("\\", "/")
    code, _, err = run("start", "docker")
    assert code == 1
    assert "exists already and stays as it is" in err
    inside = tmp_path / "minitorch-labs" / "docker" / "deep"
    inside.mkdir()
    assert find("docker", None) == inside.parent
    monkeypatch.chdir(inside)
    assert find("docker", None) == inside.parent
    assert not list((tmp_path / "minitorch-labs").glob(".*"))


def test_exit_codes_and_output(lab, run):
    items, responds = lab
    assert run("check", "docker")[0] == 1  # not started
    run("start", "docker")
    code, out, _ = run("check", "docker")
    assert code == 1
    assert "x.py:3: is wrong. Fix it." in out
    assert "3 of 7 points." in out
    assert "A note." in out
    items[1] = Item("b", "Second", 4, unverified="no builder works")
    code, out, _ = run("check", "docker")
    assert code == 1
    assert "unknown" in out
    assert "Not verified: no builder works" in out
    assert "3 of 7" in out
    items.pop()
    assert run("check", "docker")[0] == 0
    code, out, _ = run("check", "docker", "--json")
    assert code == 0
    assert json.loads(out)["items"][0]["status"] == "done"
    assert json.loads(out)["earned"] == 3
    assert responds == [True, True, True, False]  # instructors change nothing
    code, _, err = run("check", "dokcer")
    assert code == 2
    assert "unknown lab 'dokcer'. There are:" in err


def test_a_lab_that_cannot_be_created_leaves_no_files(tmp_path):
    def fail(folder):
        (folder / "half").touch()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        create("docker", tmp_path / "lab", fail)
    assert list(tmp_path.iterdir()) == []


def test_every_lab_has_its_page():
    assert all((lab_files(name) / "README.md").stat().st_size > 2000 for name in registry.LABS)
    with pytest.raises(ValueError, match="not installed"):
        lab_files("cooking")


def test_a_program_that_does_not_end_or_prints_too_much(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    assert run_sandboxed.run_python(tree, ["-c", "while True: pass"], 0.5).exit_code is None
    completed = run_sandboxed.run_python(tree, ["-c", "print('x' * 10**6); print('last'); raise SystemExit(3)"], 20)
    assert completed.exit_code == 3
    assert len(completed.output) <= run_sandboxed.MAX_OUTPUT
    assert completed.tail(1) == "last"


@pytest.mark.parametrize("name", LABS)
def test_each_lab_starts_in_the_default_folder(name, run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("start", name)
    assert code == 0, err
    assert find(name, None) == tmp_path / "minitorch-labs" / name
