"""The guides: the command line accepts their commands, and their links have targets."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from minitorch.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "learn.md", ROOT / "docs" / "teach.md", ROOT / "lectures" / "README.md"]
LINKED = [*PAGES, *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "CODE_OF_CONDUCT", "SECURITY", "ARCHITECTURE"))]
OTHERS = (
    "python3 -m venv",
    ".venv/bin/pip install",
    "sudo apt install",
    ".venv/bin/jupyter lab",
    ".venv/bin/python -m pytest",
)


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line.split("  # ")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def parse(arguments: list[str]) -> None:
    """Parse arguments as the command line does, down to the subcommand that would run."""
    command: Any = typer.main.get_command(app)
    context = None
    while True:
        context = command.make_context(command.name, list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        _, command, arguments = command.resolve_command(context, rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_accepted(page):
    found = [command for command in commands(page) if not command.startswith(OTHERS)]
    assert found
    for command in found:
        program, *arguments = shlex.split(command)
        assert program == ".venv/bin/minitorch", command
        if arguments[-1] != "--help":
            parse(arguments)


def test_a_wrong_command_is_rejected():
    for wrong in (["course", "verfy"], ["course", "verify", "--fast"], ["course", "export", "x", "--to", "canvas"]):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - typer has its own copy of click's errors
            parse(wrong)
        assert getattr(caught.value, "exit_code", None) == 2


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.stem)
def test_every_link_has_a_target(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), target


def submit(root: Path) -> None:
    """Write the submissions of two students for notebook 15: the release, and the reference in a folder."""
    folder = root / "submissions" / "15"
    (folder / "s02").mkdir(parents=True)
    shutil.copy(root / "notebooks" / "released" / "15_fine_tuning.ipynb", folder / "s01.ipynb")
    shutil.copy(root / "notebooks" / "15_fine_tuning.ipynb", folder / "s02")


@pytest.mark.slow
def test_the_guide_leads_from_a_new_notebook_to_grades(tmp_path):
    """The guide's own commands produce grades in three formats."""
    from minitorch_course.grading.sandbox import why_unavailable

    def run(command: str) -> None:
        program, *arguments = shlex.split(command.replace("02", "15"))
        extra = ["--no-sandbox"] if arguments[1] == "grade" and why_unavailable() else []
        path = Path(sys.executable).with_name(Path(program).name)
        done = subprocess.run([path, *arguments, *extra], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    guide = commands(ROOT / "docs" / "teach.md")
    for word in ("new", "build", "verify"):
        run(next(command for command in guide if f" course {word} 15" in command))
    submit(tmp_path)
    for command in guide:
        if " course grade " in command or " course export " in command:
            run(command)
    grades = json.loads((tmp_path / "grades" / "15" / "grades.json").read_text(encoding="utf-8"))
    assert [student["points"] for student in grades["students"]] == [0, grades["points"]]
    written = {path.name for path in tmp_path.iterdir()} | {
        path.name for path in (tmp_path / "grades" / "15").iterdir()
    }
    named = re.findall(r"^\| `([\w.-]+)[/`]", (ROOT / "docs" / "teach.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert written > {*named, "canvas.csv", "moodle.csv", "gradescope", "feedback", "results", "run.json"}
    assert named
