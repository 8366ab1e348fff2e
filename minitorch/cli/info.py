"""`minitorch info`: a summary of a run."""

from __future__ import annotations

from pathlib import Path

from .options import Run


def info(run: Run) -> None:
    """Show a summary of a run: model, parameters, data, steps, losses, versions."""
    from rich.console import Console
    from rich.table import Table

    table = Table("setting", "value", title=str(run), show_header=False)
    for name, value in describe(run).items():
        table.add_row(name, value)
    Console().print(table)


def describe(run: Path) -> dict[str, str]:
    """Return the lines of the summary of the run in the folder `run`, by name."""
    from ..train import read_record, read_rows
    from ..train.checkpoint import steps
    from ..train.record import CARD, CHECKPOINTS, METRICS, WEIGHTS, check_files

    config, provenance, _ = record = read_record(run)
    check_files(run, record)
    rows = read_rows(run / METRICS)
    evaluated = [row for row in rows if "val_loss" in row]
    saved = steps(run / CHECKPOINTS)
    kv = f" ({config.kv_heads} key/value)" if config.kv_heads else ""
    sizes = f"{config.layers} layers, {config.heads} heads{kv}, width {config.width}, context {config.context}"
    if (run / WEIGHTS).is_file():
        state = "finished" if rows else f"derived from another run, see {CARD}"
    else:
        state = f"last checkpoint at step {saved[-1]:,}" if saved else "no checkpoint"
    return {
        "model": f"{config.model}, {sizes}",
        "parameters": f"{provenance.parameters:,}",
        "tokenizer": f"{config.tokenizer}, {provenance.vocab:,} ids",
        "data": f"{config.data}, SHA-256 {provenance.data_sha256[:12]}...",
        "tokens": f"{provenance.train_tokens:,} for training, {provenance.validation_tokens:,} for validation",
        "steps": f"{rows[-1]['step'] if rows else 0:,} of {config.steps:,}, {state}",
        "batch": f"{config.batch} x {config.context} tokens",
        "optimizer": f"{config.optimizer}, learning rate {config.lr:g}, seed {config.seed}, {config.dtype}",
        "training loss": f"{rows[-1]['loss']:.4f} at step {rows[-1]['step']:,}" if rows else "-",
        "validation loss": f"{evaluated[-1]['val_loss']:.4f} at step {evaluated[-1]['step']:,}" if evaluated else "-",
        "devices": f"{provenance.devices} x {provenance.device}",
        "versions": ", ".join(f"{name} {number}" for name, number in provenance.versions.items()),
    }
