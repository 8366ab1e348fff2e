"""`minitorch evaluate`: the loss of a trained model on a text."""

from __future__ import annotations

from typing import Annotated

from .derived_run import load
from .options import Field, Limit, Run, TextSource, option


def evaluate(
    run: Run,
    data: Annotated[str, option(f"Text to evaluate on: {TextSource}.")],
    field: Field = "text",
    limit: Limit = None,
) -> None:
    """Evaluate a trained model on a text: loss, perplexity, and bits per byte, which compare across tokenizers."""
    from ..data import load_text
    from ..train import evaluate as evaluate_model
    from ..train import read_record
    from ..train.config import DTYPES
    from ..train.devices import use_cpu_cores_unless_started

    config = read_record(run).config
    use_cpu_cores_unless_started(batch=config.batch)
    loaded, text = load(run), load_text(data, field=field, limit=limit)
    result = evaluate_model(loaded.model, loaded.tokenizer, text, config.batch, DTYPES[config.dtype])
    print(
        f"loss={result.loss:.4f} perplexity={result.perplexity:.4f} bits_per_byte={result.bits_per_byte:.4f}"
        f" bits_per_character={result.bits_per_character:.4f} tokens={result.tokens}"
    )
