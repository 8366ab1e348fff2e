"""Commands of other packages, which they declare as entry points of the group `minitorch.commands`.

Each entry point is a `typer.Typer`. A package is imported only when its command runs or the list of commands is shown.
If that fails, the command reports the error in one line, and all other commands still work.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import typer
import typer.core

from .._interrupt import INTERRUPTED, unwind
from .progress import echo_err

GROUP = "minitorch.commands"
_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}  # of a broken command, whose options are unknown


class WithPlugins(typer.core.TyperGroup):
    """A command group that also has the commands of other packages; its own commands have precedence."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands: its own, then those of other packages in alphabetical order."""
        own = super().list_commands(ctx)
        return [*own, *sorted(_plugins().keys() - set(own))]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C is one line. Commands of other packages raise KeyboardInterrupt, to clean up."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            echo_err("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            unwind(False)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, and import the package that declares it."""
        own = super().get_command(ctx, cmd_name)
        plugin = None if own else _plugins().get(cmd_name)
        return _load(plugin) if plugin else own


def plugin_folders() -> list[Path]:
    """Return the folders of all imported packages that declare commands."""
    packages = (sys.modules.get(plugin.module.partition(".")[0]) for plugin in _plugins().values())
    return [Path(package.__file__).parent for package in packages if package and package.__file__]


def _plugins() -> dict[str, EntryPoint]:
    return {plugin.name: plugin for plugin in entry_points(group=GROUP)}


def _load(plugin: EntryPoint) -> Any:
    """Return the command group of `plugin`, or a command that reports why the group cannot be loaded."""
    try:
        app = plugin.load()
        if not isinstance(app, typer.Typer):
            raise TypeError(f"{plugin.value} is not a typer.Typer")
        command: Any = typer.main.get_group(app)
    except Exception as error:  # Whatever another package raises, our own commands must work.
        command = _broken(plugin, error)
    command.name = plugin.name
    unwind()
    return command


def _broken(plugin: EntryPoint, error: Exception) -> Any:
    package = plugin.dist.name if plugin.dist else plugin.module
    reason = f"cannot be loaded from the package {package} ({type(error).__name__}: {error})"
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(help=f"Not available: {reason}.", context_settings=_ANYTHING)
    def report() -> None:
        raise ImportError(f"the command {plugin.name} {reason}: update or uninstall that package.") from error

    return typer.main.get_command(app)
