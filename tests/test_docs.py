"""The guides: their commands are ones that the command line takes, and their links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from minitorch.cli import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "learn.md", ROOT / "docs" / "teach.md", ROOT / "lectures" / "README.md"]
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
    command, context = typer.main.get_command(app), None
    while True:
        context = command.make_context(command.name, list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        _, command, arguments = command.resolve_command(context, rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_is_one(page):
    found = [command for command in commands(page) if not command.startswith(OTHERS)]
    assert found
    for command in found:
        program, *arguments = shlex.split(command)
        assert program == ".venv/bin/minitorch", command
        if arguments[-1] != "--help":
            parse(arguments)


def test_a_wrong_command_would_be_noticed():
    for wrong in (["course", "verfy"], ["course", "verify", "--fast"], ["course", "export", "x", "--to", "canvas"]):
        with pytest.raises(Exception) as caught:
            parse(wrong)
        assert getattr(caught.value, "exit_code", None) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists(), target


def test_the_site_has_every_guide():
    named = re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))
