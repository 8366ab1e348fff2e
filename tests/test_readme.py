"""The README: its snippets and commands run, and its tables and pictures are complete."""

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
    assert names["value"] > 4  # ln 65 is 4.17: the model is untrained.
    assert type(names["grads"]) is type(names["model"])


def test_every_command_and_option_exists():
    from minitorch.cli import app

    commands = re.findall(r"^\.venv/bin/minitorch (\w+)(.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert commands
    for command, rest in commands:
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for option in re.findall(r"--\w[\w-]*", rest):
            assert option in shown, (command, option)


def test_every_notebook_is_in_the_table_and_every_link_has_a_target():
    text = README.read_text(encoding="utf-8")
    numbers = set(re.findall(r"^\| (\d\d) \|", text, re.MULTILINE))
    assert {path.name[:2] for path in (README.parent / "notebooks").glob("[0-9][0-9]_*.ipynb")} <= numbers
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (README.parent / target).exists(), target


def test_the_picture_shows_every_notebook():
    hook = runpy.run_path(str(README.parent / "docs" / "hooks" / "stack.py"))
    picture = hook["stack"](hook["notebooks"](), 960, alone=True) + "\n"
    assert (README.parent / "docs" / "images" / "stack.svg").read_text(encoding="utf-8") == picture, (
        "run: python docs/hooks/stack.py"
    )


def test_the_commands_of_make_are_targets_with_a_line_of_help():
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    helped = set(re.findall(r"^# make ([\w-]+) {2,}\w", makefile, re.MULTILINE))
    for page in (README, README.parent / "CONTRIBUTING.md"):
        named = set(
            re.findall(r"\bmake (tour|course|test-all|test|check|docs|format|bench)\b", page.read_text("utf-8"))
        )
        assert named <= targets
    assert helped <= targets
    assert {"tour", "course", "test", "check", "test-all"} <= helped


def test_the_core_has_the_stated_length():
    (stated,) = re.findall(r"`nn`: ([\d,]+) lines", README.read_text(encoding="utf-8"))
    core = [path for part in ("autodiff", "ops", "nn") for path in (README.parent / "minitorch" / part).glob("*.py")]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in core)
    assert abs(lines - int(stated.replace(",", ""))) <= 100, lines
