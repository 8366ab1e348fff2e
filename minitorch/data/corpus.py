"""Load a text by its name or path as a `Corpus`: documents with their provenance."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from .._numbers import whole
from .._suggest import did_you_mean_path
from .problems import DataError, Problem
from .readers import READABLE, Row, read_hub_texts, read_plain, read_rows
from .stdlib import stdlib_code, stdlib_docstrings, stdlib_licence, stdlib_source

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = ("stdlib", "stdlib-docstrings")
SEPARATOR = "\n\n"
UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Corpus:
    """Documents with their provenance.

    `places[i]` is the origin of document `i` (a module's path, `rows.jsonl, line 7`); one contiguous text has none, and
    begins at line `first_line` of its source. `created` is the date of the source; `notes` list the changes since.
    """

    name: str
    documents: tuple[str, ...]
    licence: str = UNKNOWN
    source: str = UNKNOWN
    created: str = UNKNOWN
    notes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    first_line: int = 1

    @cached_property
    def text(self) -> str:
        """All documents, separated by blank lines."""
        return SEPARATOR.join(self.documents)

    @cached_property
    def sha256(self) -> str:
        """The hash of `text` in UTF-8. It equals that of `sha256sum` for a text file with Unix line ends."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def place(self, document: int, line: int) -> str:
        """Return the name of line `line` (from 1) of a document, for messages."""
        if self.places:
            return f"{self.places[document]}, line {line}" if line > 1 else self.places[document]
        inside = f"document {document + 1}, " if len(self.documents) > 1 else ""
        return f"{inside}line {self.first_line + line - 1}"


def load_text(source: str | Path, *, field: str = "text", limit: int | None = None) -> Corpus:
    """Load `stdlib`, `stdlib-docstrings`, `hf:NAME`, or a local text, `.jsonl`, `.json` or `.parquet` file.

    `field` is the name of the column with the text in JSON, Parquet and Hugging Face rows. `limit` is the maximal
    number of characters: the text is cut at the end of a line, always at the same place.

    Raises:
      FileNotFoundError: the file does not exist.
      DataError: the file has no text, or cannot be read; the message names the line.
    """
    if limit is not None and (whole(limit) or 0) < 1:
        raise ValueError(f"limit={limit} keeps no text: give at least 1 character, or None for the whole text")
    if source in NAMES:
        return _load_stdlib(str(source), limit)
    if isinstance(source, str) and source.startswith("hf:"):
        rows, licence = read_hub_texts(source[3:], field, stream=limit is not None)
        return _from_rows(Corpus(source, (), licence, source=f"Hugging Face dataset {source[3:]}"), rows, limit)
    return _load_file(Path(source), field, limit)


def split(corpus: Corpus, train: float = 0.9) -> tuple[Corpus, Corpus]:
    """Split a corpus: the share `train` from its start for training, and the rest for validation.

    One contiguous text is split after exactly `int(train * characters)`, several documents at the border nearest to
    that share, so that no document is in both.

    Raises:
      ValueError: `train` is not between 0 and 1, or one of the parts would be empty.
    """
    if not 0 < train < 1:
        raise ValueError(f"train={train} must be a share between 0 and 1, such as 0.9")
    if len(corpus.documents) == 1:
        return _split_text(corpus, int(train * len(corpus.text)))
    sizes = [len(d) for d in corpus.documents]
    if len(sizes) < 2:
        raise ValueError(f"{corpus.name} has no documents, so there is nothing to split")
    distance = [abs(before - train * sum(sizes)) for before in accumulate(sizes[:-1])]
    return _parts(corpus, distance.index(min(distance)) + 1)


def _load_stdlib(name: str, limit: int | None) -> Corpus:
    source, built = stdlib_source()
    notes = ("tests, installed packages and generated tables left out", "modules in the order of their path's hash")
    if name == "stdlib-docstrings":
        notes += ("docstrings only, without repeats",)
    rows = stdlib_code() if name == "stdlib" else stdlib_docstrings()
    return _from_rows(Corpus(name, (), stdlib_licence(), source, built, notes), rows, limit)


def _load_file(path: Path, field: str, limit: int | None) -> Corpus:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give {READABLE}")
    if not path.is_file():
        raise FileNotFoundError(
            f"no file {path}: give the path of {READABLE}, one of the built-in names ({', '.join(NAMES)}), or hf:NAME "
            f"for a Hugging Face dataset.{did_you_mean_path(path, NAMES)}"
        )
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    about = Corpus(path.name, (), source=f"local file {path.name}", created=changed)
    if (rows := read_rows(path, field)) is not None:
        return _from_rows(about, rows, limit)
    text = read_plain(path)
    return _noted(replace(about, documents=(text if limit is None else _cut(text, limit),)), limit)


def _from_rows(about: Corpus, rows: Iterable[Row], limit: int | None) -> Corpus:
    """Return `about` with the texts of the rows, up to `limit` characters with separators; read only as many rows."""
    places, documents, size = [], [], 0
    room = sys.maxsize if limit is None else limit
    for place, text in rows:
        kept = _cut(text, room - size)
        if kept.strip() or kept == text:
            places.append(place)
            documents.append(kept)
        size += len(text) + len(SEPARATOR)
        if size >= room:
            break
    if not any(d.strip() for d in documents):
        raise DataError(Problem("empty", about.name, f"has no text in its {len(documents)} rows"))
    return _noted(replace(about, documents=tuple(documents), places=tuple(places)), limit)


def _cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of `text`, whole lines if the first one fits."""
    return text if len(text) <= limit else text[: text.rfind("\n", 0, limit) + 1 or limit]


def _noted(corpus: Corpus, limit: int | None) -> Corpus:
    note = () if limit is None else (f"cut to at most {limit:,} characters, from the start",)
    return replace(corpus, notes=corpus.notes + note)


def _split_text(corpus: Corpus, at: int) -> tuple[Corpus, Corpus]:
    text = corpus.text
    if not 0 < at < len(text):
        raise ValueError(f"{corpus.name} has {len(text)} characters, too few to split into two parts")
    line = corpus.first_line + text.count("\n", 0, at)
    return (
        replace(corpus, name=f"{corpus.name}, train", documents=(text[:at],)),
        replace(corpus, name=f"{corpus.name}, validation", documents=(text[at:],), first_line=line),
    )


def _parts(corpus: Corpus, at: int) -> tuple[Corpus, Corpus]:
    both = (("train", slice(None, at)), ("validation", slice(at, None)))
    train, validation = (
        replace(corpus, name=f"{corpus.name}, {part}", documents=corpus.documents[s], places=corpus.places[s])
        for part, s in both
    )
    return train, validation
