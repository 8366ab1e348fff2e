"""The README, run as a reader would."""

import re
import runpy
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


def test_every_notebook_is_in_the_table_and_every_link_leads_somewhere():
    text = README.read_text(encoding="utf-8")
    numbers = set(re.findall(r"^\| (\d\d) \|", text, re.MULTILINE))
    assert {path.name[:2] for path in (README.parent / "notebooks").glob("[0-9][0-9]_*.ipynb")} <= numbers
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (README.parent / target).exists(), target


def test_the_picture_shows_the_notebooks_that_are_there():
    made = runpy.run_path(str(README.parent / "docs" / "hooks" / "stack.py"))
    picture = made["stack"](made["notebooks"](), 960, alone=True) + "\n"
    assert (README.parent / "docs" / "images" / "stack.svg").read_text(encoding="utf-8") == picture, (
        "run: python docs/hooks/stack.py"
    )
