"""The command `minitorch`, with one file for each of its subcommands.

Other packages add subcommands through the entry-point group `minitorch.commands`: see `plugins`. A command imports what
it needs when it runs, so that `minitorch --help` is quick, and so that the command can still set up JAX's devices. Each
user error ends in one line on standard error, without a traceback.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer

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

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="minitorch",
    cls=WithPlugins,
    help="Train small language models with an autodiff library from scratch, and inspect what they learned.",
    add_completion=False,
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
        return app(args=arguments or ["--help"], prog_name="minitorch", standalone_mode=False) or 0
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
    return f"{error.format_message().replace('Value error, ', '')} See `{command} --help`."


def _is_user_error(error: Exception) -> bool:
    """Return whether the operating system, this package or a plugin raised the error on purpose; others are bugs."""
    if isinstance(error, OSError | ArithmeticError):
        return True
    if not isinstance(error, ValueError | ImportError):
        return False
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return any(folder in raised_in.parents for folder in (Path(__file__).parents[1], *plugin_folders()))
