"""The command `minitorch`, with one file for each of its subcommands.

Other packages add subcommands through the entry-point group `minitorch.commands`: see `plugins`. A command imports what
it needs when it runs, so that `minitorch --help` is quick, and so that the command can still set up JAX's devices. Each
user error ends in one line on standard error, without a traceback.
"""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer

from .._interrupt import INTERRUPTED
from .._suggest import did_you_mean
from .distill import distill
from .evaluate import evaluate
from .finetune import finetune
from .generate import generate
from .info import info
from .merge import merge
from .plugins import WithPlugins, plugin_folders
from .progress import echo_err
from .prune import prune
from .quantize import quantize
from .tour import tour
from .train import train

FAILED, WRONG_USAGE = 1, 2

app = typer.Typer(
    name="minitorch",
    cls=WithPlugins,
    help="Train small language models with an autodiff library from scratch, and inspect what they learned.",
    add_completion=False,
    suggest_commands=False,  # `_suggestion` also knows the commands of other packages.
    rich_markup_mode=None,
)
for command in (train, generate, evaluate, info, tour, quantize, distill, prune, finetune, merge):
    app.command()(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, and exit with 0, 1 (failed), 2 (wrong usage), or 128 + the signal that stopped it."""
    warnings.showwarning = lambda message, *_: echo_err(f"warning: {message}")
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int:
    try:
        code = app(args=arguments or ["--help"], prog_name="minitorch", standalone_mode=False) or 0
        sys.stdout.flush()  # Here, a full disk is one line.
        return code
    except typer.Abort:
        echo_err("interrupted")
        return INTERRUPTED
    except Exception as error:
        if _is_usage_error(error):
            echo_err(_usage_advice(error))
            return WRONG_USAGE
        if not _is_user_error(error):
            raise
        echo_err(str(error))
        return FAILED


def _is_usage_error(error: Exception) -> bool:
    """Return whether typer rejected an option; the common class of these errors has no public name."""
    return getattr(error, "exit_code", None) == WRONG_USAGE and hasattr(error, "format_message")


def _usage_advice(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "minitorch"
    message = f"{error.message}." if hasattr(error, "option_name") else error.format_message()
    return f"{message.replace('Value error, ', '')}{_suggestion(error)} See `{command} --help`."


def _suggestion(error: Any) -> str:
    """Return a suggestion for a misspelled option, command or choice, and "" for all other errors."""
    if hasattr(error, "option_name"):
        return did_you_mean(error.option_name, [name for option in error.ctx.command.params for name in option.opts])
    if command := re.match(r"No such command '(.*)'\.$", error.message):
        return did_you_mean(command[1], error.ctx.command.list_commands(error.ctx))
    if choice := re.search(r"'([^']*)' is not one of (.*)\.$", error.message):
        return did_you_mean(choice[1], re.findall(r"'(.*?)'", choice[2]))
    return ""


def _is_user_error(error: Exception) -> bool:
    """Return whether the operating system, this package or a plugin raised the error on purpose; others are bugs."""
    if isinstance(error, OSError | ArithmeticError):
        return True
    if not isinstance(error, ValueError | ImportError):
        return False
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return any(folder in raised_in.parents for folder in (Path(__file__).parents[1], *plugin_folders()))
