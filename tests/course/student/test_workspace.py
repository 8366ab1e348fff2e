import hashlib
import json
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from minitorch_course.student.workspace import FOLDER, find_workspace, start, started_path, submit


def test_a_notebook_is_put_into_a_new_folder_with_the_rules(small_course, tmp_path):
    folder = tmp_path / "mein Kurs 日本"
    path, new = start("07", folder)
    assert (path, new) == (folder / "07_small.ipynb", True)
    assert path.read_bytes() == (small_course / "07_small.ipynb").read_bytes()
    assert sorted(p.name for p in folder.iterdir()) == ["07_small.ipynb", "AGENTS.md", "AI-USE.md"]
    assert "AI-USE.md" in (folder / "AGENTS.md").read_text("utf-8")
    assert "raise NotImplementedError" in (folder / "AI-USE.md").read_text("utf-8")


def test_existing_work_is_never_written_over(small_course, tmp_path):
    start("07", tmp_path)
    (tmp_path / "07_small.ipynb").write_text("my work", "utf-8")
    (tmp_path / "AI-USE.md").write_text("our own rules", "utf-8")
    assert start("07_small", tmp_path) == (tmp_path / "07_small.ipynb", False)
    assert (tmp_path / "07_small.ipynb").read_text("utf-8") == "my work"
    assert (tmp_path / "AI-USE.md").read_text("utf-8") == "our own rules"


def test_an_unknown_notebook_is_answered_with_those_there_are(small_course, tmp_path):
    with pytest.raises(ValueError, match=r"No notebook is called '99'. There are: 07_small, 08_later."):
        start("99", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_the_one_given_or_this_one_or_the_usual(small_course, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_workspace(Path("there")) == Path("there")
    assert find_workspace(None) == FOLDER
    start("07", tmp_path)
    assert find_workspace(None) == Path()


def test_a_notebook_that_was_not_started_says_what_to_do(small_course, tmp_path):
    with pytest.raises(ValueError, match=r"does not exist: begin with `minitorch course start 07`"):
        started_path("07", tmp_path)


def test_a_submission_holds_the_notebook_and_a_manifest(small_course, tmp_path):
    path, _ = start("07", tmp_path / "a b")
    receipt = submit("07", tmp_path / "a b", "Ångström, 李")
    assert receipt.path == tmp_path / "a b" / "07_small-submission.zip"
    with zipfile.ZipFile(receipt.path) as archive:
        assert archive.namelist() == ["07_small.ipynb", "manifest.json"]
        assert archive.read("07_small.ipynb") == path.read_bytes()
        manifest = json.loads(archive.read("manifest.json").decode("utf-8"))
    assert list(manifest) == ["notebook", "student", "sha256", "submitted", "versions"]
    assert (manifest["notebook"], manifest["student"]) == ("07_small", "Ångström, 李")
    assert manifest["sha256"] == receipt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert datetime.fromisoformat(manifest["submitted"]).utcoffset().total_seconds() == 0
    assert set(manifest["versions"]) == {"minitorch", "jax", "python"}
    assert (receipt.written, receipt.exercises) == (0, 2)


def test_the_receipt_counts_what_is_written(small_course, tmp_path, write_exercise):
    path, _ = start("07", tmp_path)
    write_exercise(path, "double", "def double(x):\n    return 2 * x")
    assert submit("07", tmp_path).written == 1


def test_earlier_submissions_stay(small_course, tmp_path, write_exercise):
    path, _ = start("07", tmp_path)
    first = submit("07", tmp_path)
    before = first.path.read_bytes()
    write_exercise(path, "double", "def double(x):\n    return 2 * x")
    second, third = submit("07", tmp_path), submit("07", tmp_path)
    assert [p.path.name for p in (second, third)] == ["07_small-submission-2.zip", "07_small-submission-3.zip"]
    assert first.path.read_bytes() == before
    assert second.sha256 != first.sha256


def test_without_a_name_the_user_is_the_student(small_course, tmp_path, monkeypatch):
    start("07", tmp_path)
    monkeypatch.setattr("getpass.getuser", lambda: "s0815")
    assert submit("07", tmp_path).student == "s0815"

    def nobody():
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert submit("07", tmp_path).student == "student"


def test_a_damaged_notebook_is_refused_and_leaves_no_archive(small_course, tmp_path):
    path, _ = start("07", tmp_path)
    path.write_text('{"cells": [', "utf-8")
    with pytest.raises(ValueError, match=r"07_small.ipynb cannot be read as a notebook"):
        submit("07", tmp_path)
    assert list(tmp_path.glob("*.zip")) == []


def test_nothing_half_written_is_left_behind(small_course, tmp_path, monkeypatch):
    start("07", tmp_path)
    before = sorted(tmp_path.iterdir())

    def full(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="the disk is full"):
        submit("07", tmp_path)
    assert sorted(tmp_path.iterdir()) == before
