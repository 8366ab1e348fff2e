"""Readers: rows of text from plain text, JSON and Parquet files, and from Hugging Face datasets.

The suffix of a name, in any case, decides how a file is read. Every error names its place: the byte and line of a wrong
encoding, the line of invalid JSON, the row of a missing field. Places are counted from 1, as in editors.
"""

from __future__ import annotations

import codecs
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._optional import require
from .problems import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = tuple[str, str]  # (place, text)

JSON_LINES, JSON, PARQUET = (".jsonl", ".ndjson", ".jsonlines"), (".json",), (".parquet", ".pq")
READABLE = "a text, .jsonl, .ndjson, .json or .parquet file"
_COMPRESSED = dict.fromkeys((".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar", ".tar"), "is an archive")
_NOT_READ = _COMPRESSED | dict.fromkeys((".csv", ".tsv", ".xls", ".xlsx", ".arrow", ".feather"), "is a table")


def suffix_of(path: Path) -> str:
    """Return the suffix of a file's name in small letters. Raises DataError for those that cannot be read as text."""
    suffix = path.suffix.lower()
    if suffix in _NOT_READ:
        raise DataError(Problem("format", path.name, f"{_NOT_READ[suffix]}, which is not read"))
    return suffix


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8 to text without a byte-order mark and with Unix line ends.

    Raises:
      DataError: the data is empty or not UTF-8; the message has the byte offset and the line number.
    """
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise DataError(Problem("empty", name, "is empty"))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
        offset = data.find(0)  # zero bytes reveal binary files and UTF-16 of plain English, which are valid UTF-8
    except UnicodeDecodeError as error:
        offset, text = error.start, ""
    if offset >= 0:
        where = f"{name}, line {data[:offset].count(10) + 1}"
        what = f"has byte 0x{data[offset]:02x} at offset {offset}, which is not UTF-8 text"
        raise DataError(Problem("undecodable", where, what))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_plain(path: Path) -> str:
    """Return the whole file as text; see `decode`.

    Raises:
      DataError: the file holds JSON, but its name does not say so. A name that ends in `.txt` is always text.
    """
    text = decode(path.read_bytes(), path.name)
    if path.suffix.lower() != ".txt" and _is_json(text):
        raise DataError(Problem("format", path.name, "is JSON, but its name does not end in .jsonl, .ndjson or .json"))
    return text


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """Read the objects of a file: see `read_objects`."""
    return [row for _, row in read_objects(Path(path))]


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place of each object of a file, and the object.

    A `.json` file has one object, or an array of objects. All others are JSON Lines: one object per line. Lines without
    any character but white space are skipped, but they count.

    Raises:
      DataError: the file is not JSON, or one of its values is not an object; the message names the first one.
    """
    text = decode(path.read_bytes(), path.name)
    for place, value in _whole_json(text, path.name) if suffix_of(path) in JSON else _json_lines(text, path.name):
        if not isinstance(value, dict):
            raise DataError(Problem("schema", place, f"is a {type(value).__name__}, not a JSON object"))
        yield place, value


def read_rows(path: Path, field: str) -> Iterator[Row] | None:
    """Return the rows of a file: the `field` of each. None for a file of plain text."""
    suffix = suffix_of(path)
    if suffix in PARQUET:
        return read_parquet_texts(path, field)
    return read_jsonl_texts(path, field) if suffix in JSON_LINES + JSON else None


def read_jsonl_texts(path: Path, field: str) -> Iterator[Row]:
    """Yield `(place, text)` of one field of each object."""
    for place, row in read_objects(path):
        yield place, _text_of(place, row, field)


def read_parquet_texts(path: Path, field: str) -> Iterator[Row]:
    """Yield `(place, text)` of one column of a Parquet file. Needs pyarrow."""
    parquet = require("pyarrow.parquet", "reading Parquet", "pip install 'minitorch-course[course]'")
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow's errors have no common base class
        raise DataError(Problem("undecodable", path.name, f"is not Parquet ({_first_line(error)})")) from error
    if field not in file.schema_arrow.names:
        raise DataError(_missing(path.name, field, file.schema_arrow.names))
    rows = (row for batch in file.iter_batches(columns=[field]) for row in batch.to_pylist())
    return texts_of(rows, field, f"{path.name}, row")


def read_hub_texts(name: str, field: str, stream: bool) -> tuple[Iterator[Row], str]:
    """Return the rows of the train split of a dataset on Hugging Face, `NAME` or `NAME:CONFIG`, and its licence."""
    datasets = require("datasets", f"loading hf:{name}", "pip install 'minitorch-course[hf]'")
    repository, _, config = name.partition(":")
    try:
        data = datasets.load_dataset(repository, config or None, split="train", streaming=stream)
    except Exception as error:  # network, name and configuration errors have no common base class
        raise ConnectionError(
            f"could not load hf:{name} ({_first_line(error)}): check the network and the name (hf:NAME or "
            "hf:NAME:CONFIG), or give a local file"
        ) from error
    return texts_of(data, field, f"hf:{name}, row"), data.info.license or "not stated by the dataset"


def texts_of(rows: Iterable[Mapping[str, Any]], field: str, where: str) -> Iterator[Row]:
    """Yield `(place, text)` of the `field` of each row. Raises DataError if it is missing or is not a string."""
    for i, row in enumerate(rows, 1):
        yield f"{where} {i}", _text_of(f"{where} {i}", row, field)


def _text_of(place: str, row: Mapping[str, Any], field: str) -> str:
    if field not in row:
        raise DataError(_missing(place, field, row))
    if not isinstance(row[field], str):
        raise DataError(Problem("schema", place, f"has {type(row[field]).__name__} in {field!r}, not text"))
    return row[field]


def _json_lines(text: str, name: str) -> Iterator[tuple[str, Any]]:
    # Not splitlines(): it also splits at U+2028 and others, which are allowed in a JSON string.
    for i, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{name}, line {i}", _parse(line, name, i)


def _whole_json(text: str, name: str) -> Iterator[tuple[str, Any]]:
    try:
        value = _parse(text, name, 1)
    except DataError:
        if not _is_json(text):
            raise
        yield from _json_lines(text, name)  # JSON Lines under the name of JSON
    else:
        if isinstance(value, list):
            yield from ((f"{name}, item {i}", item) for i, item in enumerate(value, 1))
        else:
            yield name, value


def _parse(text: str, name: str, first_line: int) -> Any:
    """Return the value of a JSON text that begins at line `first_line` of the file `name`."""
    line = first_line
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line, why = first_line + error.lineno - 1, f"{error.msg} at column {error.colno}"
    except ValueError:  # The limit of Python for the digits of a number, in words about Python.
        why = "a number has too many digits"
    except RecursionError:
        why = "it is nested too deeply"
    raise DataError(Problem("schema", f"{name}, line {line}", f"is not JSON ({why})"))


def _is_json(text: str) -> bool:
    """Return whether the whole text, or the first line that is not blank, is a JSON object or array."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    for part in (text.lstrip().partition("\n")[0], text):
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(part)
            return True
    return False


def _missing(where: str, field: str, names: Iterable[str]) -> Problem:
    return Problem("schema", where, f"has no field {field!r}, only {', '.join(map(repr, names)) or 'none'}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
