"""The names of the files in a run's folder."""

from __future__ import annotations

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
TOKENIZER = "tokenizer.json"
DATASHEET = "datasheet.md"
WEIGHTS = "model.safetensors"
STRUCTURE = "structure.json"  # only where `config.json` does not say it all
CARD = "model-card.md"
PLOT = "loss.png"
