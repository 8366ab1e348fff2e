import subprocess
import sys

import pytest

from minitorch.cli import app, main


def test_without_arguments_and_with_help_the_commands_are_listed(minitorch):
    for arguments in ((), ("--help",)):
        code, out, err = minitorch(*arguments)
        assert (code, err) == (0, "")
        assert all(f"  {command} " in out for command in ("train", "generate", "evaluate", "info"))


def test_every_command_has_a_help_text(minitorch):
    for command in app.registered_commands:
        code, out, _ = minitorch(command.callback.__name__, "--help")
        assert code == 0
        assert "--help" in out
        assert command.callback.__doc__.split(".")[0][:30] in out


def test_importing_the_command_line_loads_nothing_heavy_and_starts_no_device():
    script = """
import sys
from minitorch.cli import main
import minitorch.train
heavy = {"orbax", "matplotlib", "rich.progress", "safetensors", "sklearn", "pyarrow"} & set(sys.modules)
assert not heavy, heavy
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_warning_is_one_line(capsys, monkeypatch):
    import warnings

    def warn(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("the weather may change", stacklevel=1)
        return 0

    monkeypatch.setattr("minitorch.cli.app", warn)
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().err == "minitorch: warning: the weather may change\n"
