"""From the name of a text to token ids on the device: loaded, split, validated, and tokenized."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax

from .. import data
from ..nn import paths
from ..text import END_OF_TEXT, Tokenizer, load_tokenizer, train_tokenizer
from .record import TOKENIZER, Provenance, software_versions

if TYPE_CHECKING:
    from pathlib import Path

    from ..models import LanguageModel
    from .config import RunConfig


class Prepared(NamedTuple):
    """The data of a run."""

    corpus: data.Corpus
    parts: tuple[data.Corpus, data.Corpus]  # the first nine tenths for training, the rest for validation
    report: data.ValidationReport
    tokenizer: Tokenizer
    train: jax.Array  # ids (N,)
    validation: jax.Array  # ids (M,)

    def datasheet(self) -> str:
        """Return the datasheet of the text as Markdown."""
        return data.datasheet(self.corpus, splits=self.parts, tokenizer=self.tokenizer, report=self.report)

    def provenance(self, model: LanguageModel) -> Provenance:
        """Return the provenance of a run that trains `model` on this data, here and now."""
        devices = jax.devices()
        return Provenance(
            data_sha256=self.corpus.sha256,
            train_tokens=self.train.size,
            validation_tokens=self.validation.size,
            vocab=self.tokenizer.vocab_size,
            parameters=paths.count(model),
            devices=len(devices),
            device=devices[0].device_kind,
            versions=software_versions(),
        )


def prepare(config: RunConfig, out: Path, tokenizer: Tokenizer | None = None) -> Prepared:
    """Load, split, validate and tokenize the text that `config` names.

    Without `tokenizer`, the one in the run's folder `out` is used; if there is none, a new one is trained. A `char`
    tokenizer is trained on the whole text, because it must know every character; others on the training part only. A
    `bpe` tokenizer has the special token `END_OF_TEXT`, as GPT-2's.

    Raises:
      FileNotFoundError: the data does not exist.
      ValueError: the data must not be trained on (`data.DataError`), or is shorter than the context.
    """
    corpus = data.load_text(config.data, field=config.field, limit=config.limit)
    train, validation = data.split(corpus)
    report = data.validate(train, validation)
    if (out / TOKENIZER).is_file():
        tokenizer = tokenizer or load_tokenizer(out / TOKENIZER)
    if tokenizer is None:
        special = [END_OF_TEXT] if config.tokenizer.startswith("bpe:") else []
        text = corpus.text if config.tokenizer == "char" else train.text
        tokenizer = train_tokenizer(config.tokenizer, text, special)
    ids = [data.token_array(encode_corpus(tokenizer, part), tokenizer.vocab_size) for part in (train, validation)]
    jax.eval_shape(lambda tokens: get_batch(config, tokens, 0), ids[0])  # This line and the next raise if ids are few.
    data.evaluation_windows(ids[1], config.batch, config.context)
    return Prepared(corpus, (train, validation), report, tokenizer, *ids)


def encode_corpus(tokenizer: Tokenizer, corpus: data.Corpus) -> list[int]:
    """Return the ids of all documents, with `END_OF_TEXT` between two if the tokenizer has it, else a blank line."""
    end = tokenizer.special.get(END_OF_TEXT)
    if end is None:
        return tokenizer.encode(corpus.text)
    ids: list[int] = []
    for document in corpus.documents:
        ids += [*tokenizer.encode(document), end]
    return ids[:-1]


def get_batch(config: RunConfig, tokens: jax.Array, step: int | jax.Array) -> tuple[jax.Array, jax.Array]:
    """Sample the batch of step `step` from `tokens` (N,): inputs and the tokens after them, (B, T) each."""
    return data.sample_batch(data.step_key(config.seed, step), tokens, config.batch, config.context)
