"""From the name of a text to token ids on the device: loaded, split, checked, and given a tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import jax

from ..data import (
    Corpus,
    ValidationReport,
    datasheet,
    evaluation_windows,
    load_text,
    sample_batch,
    split,
    step_key,
    token_array,
    validate,
)
from ..text import Tokenizer, load_tokenizer, train_tokenizer
from .config import RunConfig
from .layout import TOKENIZER


class Prepared(NamedTuple):
    """The data of a run."""

    corpus: Corpus
    parts: tuple[Corpus, Corpus]  # the first nine tenths to train, the rest to validate
    report: ValidationReport
    tokenizer: Tokenizer
    train: jax.Array  # ids (N,)
    validation: jax.Array

    def datasheet(self) -> str:
        return datasheet(self.corpus, splits=self.parts, tokenizer=self.tokenizer, report=self.report)


def prepare(config: RunConfig, out: Path, tokenizer: Tokenizer | None = None) -> Prepared:
    """Load what `config` names. If no tokenizer is given, the one in the run's folder `out` serves, or a new one.

    A tokenizer of characters must know them all, so it is made from the whole text; others see the training part only.

    Raises:
      FileNotFoundError: the data is not there.
      ValueError: the data must not be trained on (`data.DataError`), or is shorter than the context.
    """
    corpus = load_text(config.data, field=config.field, limit=config.limit)
    train, validation = split(corpus)
    report = validate(train, validation)
    if (out / TOKENIZER).is_file():
        tokenizer = tokenizer or load_tokenizer(out / TOKENIZER)
    if tokenizer is None:
        tokenizer = train_tokenizer(config.tokenizer, corpus.text if config.tokenizer == "char" else train.text)
    ids = [token_array(tokenizer.encode(part.text), tokenizer.vocab_size) for part in (train, validation)]
    jax.eval_shape(lambda tokens: draw(config, tokens, 0), ids[0])  # This and the next raise if the data is too short.
    evaluation_windows(ids[1], config.batch, config.context)
    return Prepared(corpus, (train, validation), report, tokenizer, *ids)


def draw(config: RunConfig, tokens: jax.Array, step: int | jax.Array) -> tuple[jax.Array, jax.Array]:
    """The batch of step `step`: inputs and the tokens after them, (B, T) each."""
    return sample_batch(step_key(config.seed, step), tokens, config.batch, config.context)
