"""The datasheet has the known facts, and calls the others unknown."""

from __future__ import annotations

from minitorch.data import Corpus, datasheet, find_problems, load_text, split


class ByteTokenizer:
    """One token a byte, so tokens per byte is exactly 1."""

    vocab_size = 256

    def encode(self, text: str) -> list[int]:
        return list(text.encode("utf-8"))


def test_headings_follow_the_paper():
    sheet = datasheet(Corpus("x", ("text",)))
    headings = [line[3:] for line in sheet.splitlines() if line.startswith("## ")]
    assert headings == [
        "Motivation",
        "Composition",
        "Collection",
        "Preprocessing",
        "Uses",
        "Distribution",
        "Maintenance",
    ]


def test_a_real_corpus_is_described_by_its_own_numbers():
    corpus = load_text("stdlib", limit=50_000)
    splits = split(corpus)
    sheet = datasheet(
        corpus, splits=splits, tokenizer=ByteTokenizer(), report=find_problems(*splits), limits=["Only Python."]
    )
    assert sheet.startswith("# Datasheet: stdlib\n")
    assert corpus.sha256 in sheet
    assert f"{len(corpus.documents):,} documents, {len(corpus.text):,} characters" in sheet
    assert f"stdlib, validation: {len(splits[1].documents)} document" in sheet
    assert "1.000 tokens per byte" in sheet
    assert "vocabulary of 256" in sheet
    assert "no problems" in sheet
    assert corpus.licence in sheet
    assert "modules in the order of their path's hash; cut to at most 50,000 characters" in sheet
    assert sheet.rstrip().count("Only Python.") == 1


def test_unknown_facts_are_called_unknown():
    sheet = datasheet(Corpus("x", ("a@b.org wrote é\n",)))
    for line in (
        "Not divided.",
        "No tokenizer chosen.",
        "Not checked.",
        "**Under which licence?** not recorded.",
        "1 document, 16 characters, 2 lines, 17 bytes",
        "1 strings look like e-mail addresses",
        "13 distinct characters, 1 of them outside ASCII",
    ):
        assert line in sheet


def test_equal_corpora_give_the_same_sheet_and_others_another():
    free, again, other = (Corpus("x", ("text",), licence=licence) for licence in ("CC0-1.0", "CC0-1.0", "MIT"))
    assert datasheet(free) == datasheet(again) != datasheet(other)
