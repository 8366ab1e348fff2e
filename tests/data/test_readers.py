"""Every reader returns the text that was written, and names the byte, line or row of an error."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from minitorch.data import DataError, load_text, read_jsonl
from minitorch.data.readers import decode, read_hub_texts, read_jsonl_texts, read_parquet_texts, texts_of

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXTRAS = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"\xef\xbb\xbfbom", "bom"),
        ("ß€\U0001f600".encode(), "ß€\U0001f600"),
    ],
)
def test_decode_makes_line_ends_uniform_and_drops_the_byte_order_mark(data, text):
    assert decode(data, "x") == text


@pytest.mark.parametrize(
    ("data", "line", "byte", "offset"),
    [
        (b"good\nbad \xff here\n", 2, "ff", 9),
        ("hi\n".encode("utf-16"), 1, "ff", 0),
        ("hi\n".encode("utf-16-le"), 1, "00", 1),
        ("ok\ncaf\u00e9\n".encode("latin-1"), 2, "e9", 6),
        (b"\xef\xbb\xbfab\ncd\xfe", 2, "fe", 8),
    ],
)
def test_bytes_that_are_not_utf8_are_named_with_line_and_offset(data, line, byte, offset):
    with pytest.raises(DataError) as caught:
        decode(data, "f.txt")
    assert str(caught.value) == (
        f"f.txt, line {line} has byte 0x{byte} at offset {offset}, which is not UTF-8 text: save it as UTF-8 text"
    )
    assert caught.value.problems[0].kind == "undecodable"


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \r\n"])
def test_nothing_but_white_space_is_empty(data):
    with pytest.raises(DataError, match=r"^f.txt is empty: give data that is not empty$"):
        decode(data, "f.txt")


def test_jsonl_rows_are_numbered_by_their_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"text": "a\u2028b", "id": 1}\r\n{"text": "", "id": 2}\n\n'.encode())
    assert read_jsonl(path) == [{"text": "a\u2028b", "id": 1}, {"text": "", "id": 2}]
    assert list(read_jsonl_texts(path, "text")) == [("rows.jsonl, line 1", "a\u2028b"), ("rows.jsonl, line 2", "")]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"text": ', "is not JSON (Expecting value at column 10): correct"),
        ('{"text": "a"} {"text": "b"}', "is not JSON (Extra data at column 15)"),
        ("{'text': 'a'}", "is not JSON (Expecting property name enclosed in double quotes at column 2)"),
        ('{"text": "a', "is not JSON (Unterminated string starting at at column 10)"),
        ('{"text": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "is not JSON (it is nested too deeply)"),
        ('{"text": ' + "1" * 5000 + "}", "is not JSON (a number has too many digits)"),
        ("null", "is a NoneType, not a JSON object"),
        ('["text"]', "is a list, not a JSON object"),
        ('{"body": "x", "id": 1}', "has no field 'text', only 'body', 'id': correct these rows, or name another field"),
        ('{"text": 3}', "has int in 'text', not text"),
        ('{"text": null}', "has NoneType in 'text', not text"),
    ],
)
def test_a_bad_jsonl_line_is_named(tmp_path, line, complaint):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "fine"}\n' + line + '\n{"text": "fine"}\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(read_jsonl_texts(path, "text"))
    assert str(caught.value).startswith(f"rows.jsonl, line 2 {complaint}")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("line") == 1


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r", " \t \r"])
@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_blank_lines_are_skipped_wherever_they_are_but_count(tmp_path, blank, suffix):
    path = tmp_path / f"rows.{suffix}"
    lines = [blank, '{"text": "a"}', blank, blank, '{"text": "b"}', blank, ""]
    path.write_bytes("\n".join(lines).encode())
    assert list(read_jsonl_texts(path, "text")) == [(f"rows.{suffix}, line 2", "a"), (f"rows.{suffix}, line 5", "b")]


TWO_ROWS = '{"text": "one"}\n{"text": "two"}\n'
ARRAY = '[\n  {"text": "one"},\n  {"text": "two"}\n]\n'


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, TWO_ROWS) for name in ("a.jsonl", "A.JSONL", "a.JsonL", "a.ndjson", "a.NDJSON", "a.jsonlines")),
        *((name, TWO_ROWS) for name in ("a.json", "A.JSON")),
        *((name, ARRAY) for name in ("a.json", "A.JSON")),
        ("a.json", ARRAY.replace("\n", "")),
        ("a.json", ARRAY.replace("\n", "\r\n")),
    ],
)
def test_rows_of_json_are_documents_whatever_the_suffix_is_like(tmp_path, name, content, bom):
    (tmp_path / name).write_bytes((bom + content).encode())
    assert load_text(tmp_path / name).documents == ("one", "two")
    assert [row["text"] for row in read_jsonl(tmp_path / name)] == ["one", "two"]


def test_a_json_file_with_one_object_is_one_document(tmp_path):
    (tmp_path / "a.json").write_text('{\n "text": "one"\n}\n', encoding="utf-8")
    assert load_text(tmp_path / "a.json").documents == ("one",)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('[{"text": "a"},\n {"text": }]', "a.json, line 2 is not JSON (Expecting value at column 11)"),
        ('[{"text": "a"},\n "b"]', "a.json, item 2 is a str, not a JSON object"),
        ('[{"text": "a"},\n {"body": "b"}]', "a.json, item 2 has no field 'text', only 'body'"),
        ('{"data": [{"text": "a"}]}', "a.json has no field 'text', only 'data'"),
        ('{"text": "a"}\n{"text": "b"\n', "a.json, line 2 is not JSON"),
        ("[]", "a.json has no text in its 0 rows"),
        ("plain words", "a.json, line 1 is not JSON"),
        ("[" * 100_000, "a.json, line 1 is not JSON (it is nested too deeply)"),
    ],
)
def test_a_bad_json_file_is_refused_with_the_place(tmp_path, content, complaint):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_text(tmp_path / "a.json")
    assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.tsv", "a.xlsx", "a.jsonl.gz", "a.ZST", "a.zip"])
def test_tables_and_archives_are_refused_with_what_is_read(tmp_path, name):
    (tmp_path / name).write_text("text,label\na,b\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"^\S+ is an? \w+, which is not read: give a text, .jsonl, .ndjson, .json or .p"
    ):
        load_text(tmp_path / name)


@pytest.mark.parametrize("name", ["a", "a.jsonl.bak", "a.data", "a.md", "a.ipynb"])
@pytest.mark.parametrize("content", [TWO_ROWS, ARRAY, '{\n "cells": []\n}'])
def test_json_under_another_name_is_refused_and_text_is_text(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"is JSON, but its name does not end in .jsonl, .ndjson or .json: give a text"):
        load_text(path)
    for text in ("[link](url)\n", "{x} is a set\n", "words\n" + content):
        path.write_text(text, encoding="utf-8")
        assert load_text(path).text == text
    (tmp_path / "a.txt").write_text(content, encoding="utf-8")
    assert load_text(tmp_path / "a.txt").text == content


def test_conversion_of_rows_takes_the_named_field():
    assert list(texts_of([{"a": "x"}, {"a": "y"}], "a", "hf:z, row")) == [("hf:z, row 1", "x"), ("hf:z, row 2", "y")]


def test_parquet_column_is_read_row_by_row(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table({"body": ["one", "two"], "id": [1, 2]}), path)
    path.rename(tmp_path / "T.PARQUET")
    assert load_text(tmp_path / "T.PARQUET", field="body").documents == ("one", "two")
    (tmp_path / "T.PARQUET").rename(path)
    assert list(read_parquet_texts(path, "body")) == [("t.parquet, row 1", "one"), ("t.parquet, row 2", "two")]
    with pytest.raises(DataError, match=r"t.parquet has no field 'text', only 'body', 'id'"):
        read_parquet_texts(path, "text")
    with pytest.raises(DataError, match=r"t.parquet, row 1 has int in 'id', not text"):
        list(read_parquet_texts(path, "id"))


def test_a_file_that_is_not_parquet_is_rejected_in_one_line(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    path.write_text("not parquet", encoding="utf-8")
    with pytest.raises(DataError, match=r"^t.parquet is not Parquet \(.*\): save it") as caught:
        read_parquet_texts(path, "text")
    assert "\n" not in str(caught.value)


def test_missing_optional_packages_name_the_install_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"Parquet needs the package pyarrow.*pip install 'minitorch-course\[course"):
        read_parquet_texts(tmp_path / "t.parquet", "text")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        ImportError, match=r"loading hf:ag_news needs the package datasets.*pip install '(\S+)'$"
    ) as caught:
        read_hub_texts("ag_news", "text", stream=False)
    extra = str(caught.value).partition("[")[2].partition("]")[0]
    assert any(package.startswith("datasets") for package in EXTRAS[extra])
