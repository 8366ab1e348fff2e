"""The page "Five minutes": each of its commands, in a new environment and a folder that holds what a clone does.

The packages that minitorch needs come from the environment of the tests, and `--steps` is smaller than a reader's.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.costly]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "five-minutes.md").read_text(encoding="utf-8")
IGNORED = (".*", "__pycache__", "build", "site", "runs", "tests", "docs", "lectures", "[0-9][0-9]_*.py")


@pytest.fixture
def clone(tmp_path):
    return Path(shutil.copytree(ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(*IGNORED)))


def share_packages(clone):
    """Let the new environment import the packages of this one, after its own."""
    (own,) = (clone / ".venv").rglob("site-packages")
    (own / "zz_shared.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="The page's commands are those of a Unix shell.")
def test_every_command_and_the_snippet_run(clone):
    def run(command, text=None):
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        done = subprocess.run(
            command, shell=True, cwd=clone, input=text, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    lines = "".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)).splitlines()
    commands = [re.sub(r"--steps \d+", "--steps 6", re.sub("^python3", sys.executable, line)) for line in lines]
    said = []
    for command in commands:
        said.append(run(command))
        if "-m venv" in command:
            share_packages(clone)
    assert re.search(r"final val_loss=\d", said[2])
    assert said[3].startswith("def ")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    run(".venv/bin/python -", snippet)
    where = run(".venv/bin/python -c 'import minitorch; print(minitorch.__file__)'")
    assert Path(where.strip()).is_relative_to(clone)
