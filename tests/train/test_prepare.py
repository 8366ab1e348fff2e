"""The data of a run: a tokenizer with an end of text, which stands between documents and nowhere else."""

from __future__ import annotations

import json
from itertools import groupby

import numpy as np
import pytest

from minitorch.data import Corpus
from minitorch.text import END_OF_TEXT, ByteTokenizer, RegexBPETokenizer
from minitorch.train import RunConfig
from minitorch.train.prepare import encode_corpus, prepare

DOCUMENTS = [f"document {i} is about the number {i * i} and no other.\n" for i in range(60)]


def config(tmp_path, tokenizer: str) -> RunConfig:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in DOCUMENTS), encoding="utf-8")
    return RunConfig(data=str(path), tokenizer=tokenizer, context=8, batch=1)


def test_documents_end_with_the_special_token_of_a_bpe_tokenizer(tmp_path):
    prepared = prepare(config(tmp_path, "bpe:300"), tmp_path)
    tokenizer, end = prepared.tokenizer, prepared.tokenizer.special[END_OF_TEXT]
    assert (tokenizer.vocab_size, end) == (300, 299)
    for ids, part in zip((prepared.train, prepared.validation), prepared.parts, strict=True):
        rows = [list(row) for is_end, row in groupby(np.asarray(ids).tolist(), end.__eq__) if not is_end]
        assert tuple(map(tokenizer.decode, rows)) == part.documents


@pytest.mark.parametrize("tokenizer", ["char", "byte"])
def test_other_tokenizers_have_blank_lines_between_documents(tmp_path, tokenizer):
    prepared = prepare(config(tmp_path, tokenizer), tmp_path)
    assert not prepared.tokenizer.special
    assert prepared.tokenizer.decode(prepared.train) == prepared.parts[0].text


def test_a_run_whose_tokenizer_has_no_end_of_text_reads_its_data_as_before(tmp_path):
    old = RegexBPETokenizer.train("".join(DOCUMENTS), 300)
    old.save(tmp_path / "tokenizer.json")
    prepared = prepare(config(tmp_path, "bpe:300"), tmp_path)
    assert prepared.tokenizer == old
    assert prepared.train.tolist() == old.encode(prepared.parts[0].text)


@pytest.mark.parametrize("documents", [("a",), ("", "a", ""), ("a", "<|endoftext|>"), ()])
def test_the_end_stands_between_documents_only_and_their_text_cannot_write_it(documents):
    ids = encode_corpus(ByteTokenizer([END_OF_TEXT]), Corpus("x", documents))
    assert ids.count(256) == max(len(documents) - 1, 0)
    assert bytes(i for i in ids if i < 256).decode() == "".join(documents)
