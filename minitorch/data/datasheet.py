"""Datasheets: the facts about the data behind a model, under the headings of Gebru et al., arXiv 1803.09010.

The answers come from the corpus. An unknown fact is called unknown and not left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .corpus import Corpus
    from .problems import ValidationReport

SAMPLE = 100_000  # characters on which tokens per byte are measured
_EMAIL = re.compile(r"(?<=\w)@[\w-]+\.[a-z]{2,}")


class Tokenizer(Protocol):
    """The part of a tokenizer that a datasheet needs."""

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str, /) -> Sequence[int]: ...


def datasheet(
    corpus: Corpus,
    *,
    splits: Sequence[Corpus] = (),
    tokenizer: Tokenizer | None = None,
    report: ValidationReport | None = None,
    limits: Sequence[str] = (),
) -> str:
    """Return a datasheet in Markdown. `report` is the result of `validate`; `limits` are further known limitations."""
    sections = {
        "Motivation": [
            ("Why was it collected?", "To train and study small language models with minitorch."),
            ("Who wrote the text?", f"See the source: {corpus.source}."),
        ],
        "Composition": [
            ("What is one example?", _unit(corpus)),
            ("How much is there?", f"{_size(corpus)}."),
            ("How is it divided?", "; ".join(f"{c.name}: {_size(c)}" for c in splits) or "Not divided."),
            ("How long is it in tokens?", _tokens(corpus, tokenizer)),
            ("Errors, repeats, leaks?", f"{report}." if report else "Not checked."),
            ("Does it contain personal data?", _personal(corpus)),
        ],
        "Collection": [
            ("Where does it come from?", f"{corpus.source}, dated {corpus.created}."),
            ("How can it be recognised?", f"SHA-256 of the text in UTF-8: `{corpus.sha256}`"),
            ("Did the authors agree to this use?", "They were not asked; the licence below is what they granted."),
        ],
        "Preprocessing": [("What was done to it?", f"{'; '.join(('line ends made uniform', *corpus.notes))}.")],
        "Uses": [
            ("What can it be used for?", "Learning how language models work; comparing small models on the same text."),
            (
                "What should it not be used for?",
                "Products, facts, advice: a model of this size repeats and makes things up.",
            ),
            ("Known limits", " ".join([_alphabet(corpus), *limits])),
        ],
        "Distribution": [("Under which licence?", f"{corpus.licence}.")],
        "Maintenance": [
            ("Who maintains it?", "The source named above; this copy is fixed by its hash and is not updated.")
        ],
    }
    return f"# Datasheet: {corpus.name}\n\n" + "\n".join(_section(*item) for item in sections.items())


def _section(title: str, answers: Sequence[tuple[str, str]]) -> str:
    return f"## {title}\n\n" + "\n".join(f"* **{question}** {answer}" for question, answer in answers) + "\n"


def _unit(corpus: Corpus) -> str:
    return "A document." if len(corpus.documents) > 1 else "A window of one contiguous text."


def _size(corpus: Corpus) -> str:
    text = corpus.text
    documents = f"{len(corpus.documents):,} document{'s' * (len(corpus.documents) != 1)}"
    return f"{documents}, {len(text):,} characters, {text.count(chr(10)) + 1:,} lines, {_bytes(text):,} bytes"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _tokens(corpus: Corpus, tokenizer: Tokenizer | None) -> str:
    if tokenizer is None:
        return "No tokenizer chosen."
    sample = corpus.text[:SAMPLE]
    rate = len(tokenizer.encode(sample)) / _bytes(sample)
    return f"{rate:.3f} tokens per byte (first {len(sample):,} characters), vocabulary of {tokenizer.vocab_size:,}."


def _personal(corpus: Corpus) -> str:
    count = len(_EMAIL.findall(corpus.text))
    return f"{count:,} strings look like e-mail addresses. Names were not looked for; expect those of the authors."


def _alphabet(corpus: Corpus) -> str:
    distinct = set(corpus.text)
    rare = sum(not c.isascii() for c in distinct)
    return f"{len(distinct):,} distinct characters, {rare:,} of them outside ASCII."
