"""Readers: rows of text from plain text, JSON Lines and Parquet files, and from Hugging Face datasets.

Every error names its place: the byte and line of a wrong encoding, the line of invalid JSON, the row of a missing
field. Places are counted from 1, as in editors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._optional import require
from .problems import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Row = tuple[str, str]  # (place, text)


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8 to text without a byte-order mark and with Unix line ends.

    Raises:
      DataError: the data is empty or not UTF-8; the message has the byte offset and the line number.
    """
    if not data.strip():
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
    """Return the whole file as text; see `decode`."""
    return decode(path.read_bytes(), path.name)


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """Read JSON Lines, one object per line, so that row `i` is line `i`.

    Raises:
      DataError: a line is not a JSON object; the message names the first one.
    """
    return list(_objects(Path(path)))


def read_jsonl_texts(path: Path, field: str) -> Iterator[Row]:
    """Yield `(place, text)` of one field of each line."""
    return texts_of(_objects(path), field, f"{path.name}, line")


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
    """Return the rows of the train split of a Hugging Face dataset, `NAME` or `NAME:CONFIG`, and its licence.

    Needs a network.
    """
    datasets = require("datasets", f"loading hf:{name}", "pip install datasets")
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
    """Yield `(place, text)` of the `field` of each row.

    Raises:
      DataError: the field is missing or is not a string; the message names the row.
    """
    for i, row in enumerate(rows, 1):
        place = f"{where} {i}"
        if field not in row:
            raise DataError(_missing(place, field, row))
        if not isinstance(row[field], str):
            raise DataError(Problem("schema", place, f"has {type(row[field]).__name__} in {field!r}, not text"))
        yield place, row[field]


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    # Not splitlines(): it also splits at U+2028 and others, which are allowed in a JSON string.
    for i, line in enumerate(read_plain(path).rstrip("\n").split("\n"), 1):
        where = f"{path.name}, line {i}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(Problem("schema", where, f"is not JSON ({error})")) from error
        if not isinstance(row, dict):
            raise DataError(Problem("schema", where, f"is a {type(row).__name__}, not a JSON object"))
        yield row


def _missing(where: str, field: str, names: Iterable[str]) -> Problem:
    return Problem("schema", where, f"has no field {field!r}, only {', '.join(map(repr, names)) or 'none'}")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
