"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def option(text: str, *names: str, **limits: Any) -> Any:
    """Return a typer option with the help text `text`; `names` are given for a flag without a `--no-` form."""
    return typer.Option(*names, help=text, **limits)


Run = Annotated[Path, option("Folder of a run.")]
Out = Annotated[Path, option("Folder for the new run; it must be empty or new.")]
TextSource = "a text, .jsonl, .ndjson, .json or .parquet file, or stdlib, stdlib-docstrings, hf:NAME"
Field = Annotated[str, option("Field of JSON Lines or Parquet rows that holds the text.")]
Limit = Annotated[int | None, option("Number of characters to use, from the start; all by default.")]
Seed = Annotated[int, option("Random seed, 0 to 2**32 - 1.", min=0, max=2**32 - 1)]
Resume = Annotated[bool, option("Resume the run in --out; repeat all other options.", "--resume")]
