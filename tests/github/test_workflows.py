"""The workflows, by the linter that is published for them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_linter_finds_nothing():
    files = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    command = [Path(sys.executable).with_name("actionlint"), "-no-color", *files]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert len(files) >= 3 and (done.returncode, done.stdout) == (0, "")
