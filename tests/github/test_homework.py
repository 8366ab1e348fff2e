"""The answer to homework that was opened as a pull request, on GitHub's event and on what it says of the files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minitorch_course.labs.lab_dir import WHERE
from minitorch_course.student.workspace import FOLDER

ROOT = Path(__file__).parents[2]
EVENT = Path(__file__).with_name("opened.json")
RELEASED = "notebooks/released/02_autodiff.ipynb"
SOLVED = '@@ -1,2 +1,2 @@\n-    "    raise NotImplementedError(\\"Walk backwards.\\")"\n+    "    return g * y"'
UNTOUCHED = '@@ -1,2 +1,2 @@\n-    "# Autodif"\n+    "# Autodiff"'


def answered(tmp_path, *files):
    listed = tmp_path / "files.json"
    listed.write_text(json.dumps([{"status": "modified", "patch": "", **file} for file in files]), encoding="utf-8")
    command = [sys.executable, ROOT / ".github" / "homework.py", EVENT, listed]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ({"filename": f"{FOLDER}/02_autodiff.ipynb"}, "a folder for your own work"),
        ({"filename": f"course/{WHERE}/docker/Dockerfile"}, "a folder for your own work"),
        ({"filename": "02_autodiff-submission.zip"}, "an archive to hand in"),
        ({"filename": "solutions/02_autodiff.ipynb"}, "in a place of its own"),
        ({"filename": RELEASED, "patch": SOLVED}, "exercises are solved in it"),
    ],
)
def test_homework_is_told_where_it_belongs(file, why, tmp_path):
    said = answered(tmp_path, file)
    assert said.startswith("Hello @a-student") and f"`{file['filename']}`: " in said and why in said
    assert re.search(r"minitorch course submit .*CONTRIBUTING\.md", said, re.DOTALL)


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
def test_a_contribution_is_left_alone_whatever_lies_beside_it(file, tmp_path):
    assert answered(tmp_path, file) == ""
    assert answered(tmp_path, {"filename": "solutions/02_autodiff.ipynb"}, file) == ""


def test_no_files_are_no_homework(tmp_path):
    assert answered(tmp_path) == ""
