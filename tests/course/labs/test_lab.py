"""`minitorch lab`: where labs are put and found, what it prints, and how it exits."""

import json

import pytest

from minitorch.cli import main
from minitorch_course.labs import registry, run_sandboxed
from minitorch_course.labs.lab_dir import files, find, lay_down
from minitorch_course.labs.registry import LABS, Lab
from minitorch_course.labs.review import Comment, Item, Report

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """A lab called docker, in an empty folder: its check finds what stands in `items`."""
    items = [Item("a", "First", 3), Item("b", "Second", 4, [Comment("x.py:3", "is wrong. Mend it.")])]
    asked = []

    def check(folder, answer):
        asked.append(answer)
        return Report("docker", items, ["A note."])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(LABS, "docker", Lab(lambda folder: lay_down("docker", folder, lambda _: None), check))
    return items, asked


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["lab", *arguments])
    shown = capsys.readouterr()
    return ended.value.code, shown.out, " ".join(shown.err.split())


def test_a_lab_is_begun_once_and_found_from_inside(lab, capsys, monkeypatch, tmp_path):
    code, out, _ = run(capsys, "start", "docker")
    assert code == 0
    assert "minitorch-labs/docker is ready" in out.replace("\\", "/")
    code, _, err = run(capsys, "start", "docker")
    assert code == 1
    assert "is there already and stays as it is" in err
    inside = tmp_path / "minitorch-labs" / "docker" / "deep"
    inside.mkdir()
    assert find("docker", None) == inside.parent
    monkeypatch.chdir(inside)
    assert find("docker", None) == inside.parent
    assert not list((tmp_path / "minitorch-labs").glob(".*"))


def test_exit_codes_and_what_is_said(lab, capsys):
    items, asked = lab
    assert run(capsys, "check", "docker")[0] == 1  # Not begun.
    run(capsys, "start", "docker")
    code, out, _ = run(capsys, "check", "docker")
    assert code == 1
    assert "x.py:3: is wrong. Mend it." in out
    assert "3 of 7 points." in out
    assert "A note." in out
    items[1] = Item("b", "Second", 4, unverified="there is no builder")
    code, out, _ = run(capsys, "check", "docker")
    assert code == 1
    assert "unknown" in out
    assert "Not verified: there is no builder" in out
    assert "3 of 7" in out
    items.pop()
    assert run(capsys, "check", "docker")[0] == 0
    code, out, _ = run(capsys, "check", "docker", "--json")
    assert code == 0
    assert json.loads(out)["items"][0]["status"] == "done"
    assert json.loads(out)["earned"] == 3
    assert asked == [True, True, True, False]  # For instructors nothing is changed.
    code, _, err = run(capsys, "check", "dokcer")
    assert code == 2
    assert "there is no lab 'dokcer'. There are:" in err


def test_a_lab_that_cannot_be_laid_down_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "half").touch()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        lay_down("docker", tmp_path / "lab", fail)
    assert list(tmp_path.iterdir()) == []


def test_every_lab_has_its_page():
    assert all((files(name) / "README.md").stat().st_size > 2000 for name in registry.LABS)
    with pytest.raises(ValueError, match="not installed"):
        files("cooking")


def test_a_program_that_does_not_end_or_says_too_much(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    assert run_sandboxed.run(tree, ["-c", "while True: pass"], 0.5).code is None
    ended = run_sandboxed.run(tree, ["-c", "print('x' * 10**6); print('last'); raise SystemExit(3)"], 20)
    assert ended.code == 3
    assert len(ended.said) <= run_sandboxed.SAID
    assert ended.last_words(1) == "last"


@pytest.mark.parametrize("name", LABS)
def test_each_lab_is_begun_in_the_folder_where_nobody_said_another(name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "start", name)
    assert code == 0, err
    assert find(name, None) == tmp_path / "minitorch-labs" / name
