"""`minitorch evaluate`: how well does a trained model predict a text?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .devices import use_cores


def evaluate(
    run: Annotated[Path, typer.Option(help="Folder of a run.")],
    data: Annotated[str, typer.Option(help="A text, .jsonl or .parquet file, or stdlib, stdlib-docstrings, hf:NAME.")],
    field: Annotated[str, typer.Option(help="Which field of JSON Lines or Parquet rows holds the text.")] = "text",
    limit: Annotated[int | None, typer.Option(help="Use only so many characters, from the start.")] = None,
) -> None:
    """Measure a trained model on a text: loss, perplexity, and bits per byte, which compare across tokenizers."""
    from ..data import load_text
    from ..train import evaluate as measure
    from ..train import load_run, read_record
    from ..train.config import DTYPES

    config = read_record(run).config
    use_cores(config.batch)
    loaded, text = load_run(run), load_text(data, field=field, limit=limit).text
    result = measure(loaded.model, loaded.tokenizer, text, config.batch, DTYPES[config.dtype])
    print(
        f"loss={result.loss:.4f} perplexity={result.perplexity:.4f} bits_per_byte={result.bits_per_byte:.4f}"
        f" bits_per_character={result.bits_per_character:.4f} tokens={result.tokens}"
    )
