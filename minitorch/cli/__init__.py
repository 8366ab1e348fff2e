"""`minitorch`, and one file for each of its commands: `train`, `generate`, `evaluate`, `info`, `tour`, `course`, `lab`,
`quantize`, `distill`, `prune`, `finetune` with `merge`.

Nothing here imports more than it must before a command runs, so that `minitorch --help` answers at once, and so that
`cores` can still set up the devices. Whatever a person can do wrong ends in one line on standard error, no traceback.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

import typer

from .distill import distill
from .evaluate import evaluate
from .finetune import finetune, merge
from .generate import generate
from .info import info
from .progress import echo_err
from .prune import prune
from .quantize import quantize
from .tour.command import tour
from .train import train

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="minitorch",
    help="Train small language models with an autodiff library from scratch, and look at what they learned.",
    add_completion=False,
    rich_markup_mode=None,
)
for command in (train, generate, evaluate, info, tour, quantize, distill, prune, finetune, merge):
    app.command()(command)
for plugin in sorted(entry_points(group="minitorch.commands"), key=lambda plugin: plugin.name):
    app.add_typer(plugin.load(), name=plugin.name)


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
        if not _is_anticipated(error):
            raise
        echo_err(str(error))
        return FAILED


def _is_usage_error(error: Exception) -> bool:
    """Typer's errors about options; their common class has no public name."""
    return getattr(error, "exit_code", None) == WRONG_USAGE and hasattr(error, "format_message")


def _usage_advice(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "minitorch"
    return f"{error.format_message().replace('Value error, ', '')} See `{command} --help`."


def _is_anticipated(error: Exception) -> bool:
    """Did this package or the operating system refuse something? All else is a bug, and keeps its traceback."""
    if isinstance(error, OSError | ArithmeticError):
        return True
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    return isinstance(error, ValueError | ImportError) and Path(__file__).parents[1] in raised_in.parents
