"""The answer to homework that was opened as a pull request, given GitHub's event and its list of changed files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch_course.labs.lab_dir import PARENT
from minitorch_course.student.workspace import FOLDER

ROOT = Path(__file__).parents[2]
EVENT = Path(__file__).with_name("opened.json")
RELEASED = "notebooks/released/02_autodiff.ipynb"
SOLVED = '@@ -1,2 +1,2 @@\n-    "    raise NotImplementedError(\\"Walk backwards.\\")"\n+    "    return g * y"'
UNTOUCHED = '@@ -1,2 +1,2 @@\n-    "# Autodif"\n+    "# Autodiff"'


def answer(tmp_path, *files):
    listed = tmp_path / "files.json"
    listed.write_text(json.dumps([{"status": "modified", "patch": "", **file} for file in files]), encoding="utf-8")
    command = [sys.executable, ROOT / ".github" / "homework.py", EVENT, listed]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ({"filename": f"{FOLDER}/02_autodiff.ipynb"}, "a folder for your own work"),
        ({"filename": f"course/{PARENT}/docker/Dockerfile"}, "a folder for your own work"),
        ({"filename": "02_autodiff-submission.zip"}, "an archive to submit"),
        ({"filename": "solutions/02_autodiff.ipynb"}, "a copy of a course notebook"),
        ({"filename": RELEASED, "patch": SOLVED}, "exercises are solved in it"),
    ],
)
def test_homework_gets_an_answer_that_says_where_it_belongs(file, why, tmp_path):
    text = answer(tmp_path, file)
    assert text.startswith("Hello @a-student")
    assert f"`{file['filename']}`: " in text
    assert why in text
    assert re.search(r"minitorch course submit .*CONTRIBUTING\.md", text, re.DOTALL)


@pytest.mark.parametrize(
    "file",
    [
        {"filename": "minitorch/ops/reduce.py", "patch": SOLVED},
        {"filename": "notebooks/02_autodiff.py", "patch": UNTOUCHED},
        {"filename": "notebooks/02_autodiff.ipynb", "patch": UNTOUCHED},
        {"filename": RELEASED, "patch": UNTOUCHED},
        {"filename": RELEASED},  # GitHub leaves a large patch out.
        {"filename": "README.md"},
    ],
)
def test_a_contribution_gets_no_answer_even_next_to_homework(file, tmp_path):
    assert answer(tmp_path, file) == ""
    assert answer(tmp_path, {"filename": "solutions/02_autodiff.ipynb"}, file) == ""


def test_a_pull_request_without_files_is_not_homework(tmp_path):
    assert answer(tmp_path) == ""
