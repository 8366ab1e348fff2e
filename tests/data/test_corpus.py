"""A name or a path becomes documents with provenance; splits do not overlap; the same source gives the same hash."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.data import Corpus, DataError, load_text, split


def test_the_first_megabyte_of_the_standard_library_is_always_the_same():
    first, second = (load_text("stdlib", limit=1_000_000) for _ in range(2))
    assert first == second
    assert first.sha256 == second.sha256 == hashlib.sha256(first.text.encode()).hexdigest()
    assert 990_000 < len(first.text) <= 1_000_000
    assert first.text.endswith("\n")
    assert first.source.startswith("standard library of")
    assert "cut to at most 1,000,000 characters, from the start" in first.notes
    assert len(first.places) == len(first.documents) > 20


def test_docstrings_are_a_corpus_of_their_own():
    corpus = load_text("stdlib-docstrings", limit=20_000)
    assert 19_000 < len(corpus.text) <= 20_000
    assert "docstrings only, without repeats" in corpus.notes


def test_a_text_file_is_one_document_with_the_hash_of_its_bytes(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes("Grüße\nund mehr\n".encode())
    corpus = load_text(str(path))
    assert corpus.documents == ("Grüße\nund mehr\n",)
    assert corpus.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (corpus.name, corpus.source, corpus.licence) == ("a.md", "local file a.md", "not recorded")
    assert len(corpus.created) == len("2024-01-31")


def test_jsonl_and_parquet_rows_become_documents(tmp_path):
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"body": "one"}\n{"body": "two"}\n', encoding="utf-8")
    corpus = load_text(lines, field="body")
    assert corpus.documents == ("one", "two")
    assert corpus.places == ("a.jsonl, line 1", "a.jsonl, line 2")
    assert corpus.text == "one\n\ntwo"

    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"text": ["one", "two"]}), tmp_path / "a.parquet")
    assert load_text(tmp_path / "a.parquet").documents == ("one", "two")


@pytest.mark.parametrize(
    ("limit", "kept"), [(100, "ab\ncd\nef"), (7, "ab\ncd\n"), (6, "ab\ncd\n"), (5, "ab\n"), (2, "ab")]
)
def test_limit_cuts_a_text_at_the_end_of_a_line(tmp_path, limit, kept):
    path = tmp_path / "a.txt"
    path.write_text("ab\ncd\nef", encoding="utf-8")
    assert load_text(path, limit=limit).text == kept


@pytest.mark.parametrize(
    ("limit", "kept"), [(1, ("o",)), (3, ("one",)), (5, ("one",)), (6, ("one", "t")), (99, ("one", "two"))]
)
def test_limit_counts_the_separators_of_rows(tmp_path, limit, kept):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n', encoding="utf-8")
    corpus = load_text(path, limit=limit)
    assert corpus.documents == kept
    assert len(corpus.text) <= limit
    assert len(corpus.places) == len(kept)


def test_empty_rows_are_kept_for_validation_to_name(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": ""}\n{"text": "two"}\n', encoding="utf-8")
    assert load_text(path).documents == ("", "two")


def test_the_error_for_a_missing_file_lists_the_valid_names(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no file .*nope.txt: give .* \(stdlib, stdlib-docstrings\), or hf:NAME"
    ):
        load_text(tmp_path / "nope.txt")


def test_a_folder_is_rejected(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder: give a text"):
        load_text(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", ""), ("a.txt", "\n \n"), ("a.jsonl", ""), ("a.jsonl", '{"text": " "}')]
)
def test_an_empty_file_is_rejected(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=rf"^{name} (is empty|has no text in its 1 rows): give data"):
        load_text(tmp_path / name)


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_that_keeps_nothing_is_rejected(limit):
    with pytest.raises(ValueError, match=f"limit={limit} keeps no text: give at least 1"):
        load_text("stdlib", limit=limit)


@settings(max_examples=25, deadline=None)
@given(text=st.text("ab\né", min_size=2, max_size=60), share=st.floats(0.05, 0.95))
def test_one_text_is_cut_after_exactly_the_share(text, share):
    at = int(share * len(text))
    if at == 0:
        with pytest.raises(ValueError, match="too few to split"):
            split(Corpus("x", (text,)), share)
        return
    train, validation = split(Corpus("x", (text,)), share)
    assert (train.text, validation.text) == (text[:at], text[at:])


def test_the_validation_part_remembers_its_line():
    train, validation = split(Corpus("x", ("a\nb\nc\nd\n",)), 0.5)
    assert (train.place(0, 2), validation.first_line, validation.place(0, 2)) == ("line 2", 3, "line 4")


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 30), min_size=2, max_size=12), share=st.floats(0.05, 0.95))
def test_documents_stay_whole_and_on_one_side(sizes, share):
    documents = tuple(chr(97 + i) * n for i, n in enumerate(sizes))
    places = tuple(f"row {i}" for i in range(len(sizes)))
    train, validation = split(Corpus("x", documents, places=places), share)
    assert train.documents + validation.documents == documents
    assert train.places + validation.places == places
    assert train.documents
    assert validation.documents
    away = lambda k: abs(sum(sizes[:k]) - share * sum(sizes))  # noqa: E731
    assert away(len(train.documents)) == min(away(k) for k in range(1, len(sizes)))


@pytest.mark.parametrize(
    ("documents", "share", "message"),
    [(("x",), 0.9, "has 1 characters, too few"), ((), 0.9, "no documents"), (("a", "b"), 1.0, "between 0 and 1")],
)
def test_impossible_splits_are_rejected(documents, share, message):
    with pytest.raises(ValueError, match=message):
        split(Corpus("x", documents), share)
