"""Every reader returns the text that was written, and names the byte, line or row of an error."""

from __future__ import annotations

import sys

import pytest

from minitorch.data import DataError, read_jsonl
from minitorch.data.readers import decode, read_hub_texts, read_jsonl_texts, read_parquet_texts, texts_of


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


@pytest.mark.parametrize("data", [b"", b" \n\t\n"])
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
        ('{"text": ', "is not JSON"),
        ("", "is not JSON"),
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


def test_conversion_of_rows_takes_the_named_field():
    assert list(texts_of([{"a": "x"}, {"a": "y"}], "a", "hf:z, row")) == [("hf:z, row 1", "x"), ("hf:z, row 2", "y")]


def test_parquet_column_is_read_row_by_row(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table({"body": ["one", "two"], "id": [1, 2]}), path)
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
    with pytest.raises(ImportError, match=r"loading hf:ag_news needs the package datasets.*: pip install datasets"):
        read_hub_texts("ag_news", "text", stream=False)
