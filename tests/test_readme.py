"""The README, run as a reader would."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_snippet_runs():
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert snippets
    names: dict = {}
    for snippet in snippets:
        exec(snippet, names)
    assert names["value"] > 4  # ln 65 is 4.17: nothing is learned yet.
    assert type(names["grads"]) is type(names["model"])


def test_every_command_and_option_exists():
    from minitorch.cli import app

    commands = re.findall(r"^\.venv/bin/minitorch (\w+)(.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert commands
    for command, rest in commands:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for option in re.findall(r"--\w[\w-]*", rest):
            assert option in shown, (command, option)
