"""Which files a run's folder holds, and how to write one so that nobody ever sees half of it."""

from __future__ import annotations

import os
from pathlib import Path

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
TOKENIZER = "tokenizer.json"
DATASHEET = "datasheet.md"
WEIGHTS = "model.safetensors"
STRUCTURE = "structure.json"  # only where `config.json` does not say it all
CARD = "model-card.md"
PLOT = "loss.png"


def clear_partial(folder: Path) -> None:
    """Remove the files that a killed process was writing: ours, the tokenizer's, the weights'."""
    for pattern in (".*.partial", ".*.tmp", "*.partial-*"):
        for path in folder.glob(pattern):
            path.unlink()


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content` beside `path`, then rename: what was there before stays until the new is complete."""
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(f".{path.name}.partial")  # Of one name, so that what a kill leaves is overwritten.
    partial.write_bytes(data)
    os.replace(partial, path)
