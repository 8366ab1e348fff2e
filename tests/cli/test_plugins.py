"""Commands of other packages: found by their entry points, imported when needed, and harmless if they are broken."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
import typer

from minitorch.cli import plugins

hello = typer.Typer(help="Say hello.")


@hello.command()
def world(times: int = 1):
    """Say hello to the world."""
    print("hello" * times)


@hello.command()
def fail():
    """Raise an error for the user."""
    raise ValueError("no such person: give another name.")


not_an_app = "text"


@pytest.fixture
def declare(monkeypatch):
    """`declare(name=object)` replaces the commands of all other packages."""

    def declare(**commands):
        found = [EntryPoint(name, value, plugins.GROUP) for name, value in commands.items()]
        monkeypatch.setattr(plugins, "entry_points", lambda group: found if group == plugins.GROUP else [])

    monkeypatch.setitem(sys.modules, "hello_plugin", sys.modules[__name__])
    return declare


def test_a_plugin_is_listed_last_and_runs(minitorch, declare):
    declare(zebra="hello_plugin:hello", ape="hello_plugin:hello")
    _, out, _ = minitorch("--help")
    assert out.index("  merge ") < out.index("  ape ") < out.index("  zebra ")
    assert "Say hello." in out
    assert minitorch("ape", "world", "--times", 2) == (0, "hellohello\n", "")


def test_an_error_that_a_plugin_raises_for_the_user_is_one_line(minitorch, declare):
    declare(ape="hello_plugin:hello")
    assert minitorch("ape", "fail") == (1, "", "minitorch: no such person: give another name.\n")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package.cli:app", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("hello_plugin:no_such_app", "AttributeError: "),
        ("hello_plugin:not_an_app", "TypeError: hello_plugin:not_an_app is not a typer.Typer"),
    ],
)
def test_a_broken_plugin_is_one_line_and_other_commands_work(minitorch, declare, value, reason):
    declare(ape=value)
    for arguments in (("ape",), ("ape", "world", "--times", 2)):
        code, out, err = minitorch(*arguments)
        assert (code, out) == (1, "")
        assert err.startswith(
            f"minitorch: the command ape cannot be loaded from the package {value.partition(':')[0]} ("
        )
        assert reason in err
        assert err.endswith("): update or uninstall that package.\n")
        assert err.count("\n") == 1
    code, out, err = minitorch("--help")
    assert (code, err) == (0, "")
    assert "Not available: cannot be loaded from the package" in out
    assert minitorch("info", "--help")[0] == 0


def test_a_plugin_cannot_replace_a_command_of_ours(minitorch, declare):
    declare(info="hello_plugin:hello")
    _, out, _ = minitorch("info", "--help")
    assert "Show a summary of a run" in out
    assert minitorch("--help")[1].count("  info ") == 1


def test_a_command_of_ours_imports_no_plugin():
    script = """
import sys
from minitorch.cli import main
try:
    main(["info", "--help"])
finally:
    assert not any(name.startswith("minitorch_course") for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def test_the_course_is_found_by_its_entry_points(minitorch):
    _, out, _ = minitorch("--help")
    assert "  course " in out
    assert "  lab " in out
    assert "Not available" not in out
