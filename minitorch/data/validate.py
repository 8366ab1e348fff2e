"""Data validation: reject empty, undecodable, malformed, duplicated and leaking data before a run trains on it.

The thresholds come from Python's standard library, 10 MB of code by many authors. Nine tenths of it and the rest share
a few notices and copied functions: at most 1.2 % of the text, none as long as a page. So a document that is a copy, or
mostly one, is a problem, and so is a copied passage of a page; short copied passages are only if they add up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import numpy as np

from .corpus import Corpus, load_text
from .leakage import BOILERPLATE, SharedPassage, shared_passages
from .problems import DataError, Problem, ValidationReport

Data = Corpus | Path | str | np.ndarray | Sequence[str | bytes | Mapping[str, Any]]
Schema = Mapping[str, type | UnionType]

MOSTLY = 0.5  # share of a document: if more of it is copied, the document is a leak
TOLERATED = 0.02  # share of all validation characters that may be in short copied passages


def validate(train: Data, validation: Data | None = None, *, schema: Schema | None = None) -> ValidationReport:
    """Return the report of `find_problems`. Raises DataError, with the lines or rows, if there are problems."""
    report = find_problems(train, validation, schema=schema)
    if report.problems:
        raise DataError(*report.problems)
    return report


def find_problems(train: Data, validation: Data | None = None, *, schema: Schema | None = None) -> ValidationReport:
    """Find problems in training data, and copies of it in the validation data.

    Each side is a Corpus, the Path of a file, one contiguous text, rows (strings, UTF-8 bytes, or mappings as from
    `read_jsonl`), or an array whose first axis counts rows. `schema` has the fields that every mapping must have, with
    their types: `{"text": str, "label": int | None}`. Repetition inside one contiguous text is not a problem.
    """
    sides = [_Side("train" if validation is not None else "", train)]
    if validation is not None:
        sides.append(_Side("validation", validation))
    problems, warnings = [], []
    for side in sides:
        problems += side.schema_problems(schema) if schema is not None else []
        problems += [*side.defects(), *side.duplicates()]
    if validation is not None:
        leaks, warnings = _leaks(*sides)
        problems += leaks
    checked = " and ".join(f"{len(side.documents):,} {side.name} documents".replace("  ", " ") for side in sides)
    return ValidationReport(checked, tuple(problems), tuple(warnings))


def deduplicate(corpus: Corpus) -> Corpus:
    """Return the corpus without documents that repeat an earlier one, white space aside."""
    kept = sorted({_key(d): i for i, d in reversed(list(enumerate(corpus.documents)))}.values())
    return replace(
        corpus,
        documents=tuple(corpus.documents[i] for i in kept),
        places=tuple(corpus.places[i] for i in kept) if corpus.places else (),
        notes=(*corpus.notes, f"{len(corpus.documents) - len(kept)} repeated documents left out"),
    )


class _Side:
    """Training or validation data as documents, with the names of their places in messages."""

    def __init__(self, name: str, data: Data):
        self.name, self.data, self.corpus = name, data, _as_corpus(data)
        self.documents = self.corpus.documents
        self.keys = [_key(d) for d in self.documents]

    def place(self, document: int, line: int = 1) -> str:
        return f"{self.name} {self.corpus.place(document, line)}".lstrip()

    def defects(self) -> Iterator[Problem]:
        if not self.documents:
            yield Problem("empty", f"{self.name} data".lstrip(), "has no documents")
        for i, document in enumerate(self.documents):
            if not document.strip():
                yield Problem("empty", self.place(i), "is empty")
            try:
                document.encode("utf-8")
            except UnicodeEncodeError as error:
                where = self.place(i, document.count("\n", 0, error.start) + 1)
                yield Problem("undecodable", where, f"is not UTF-8 at character {error.start}")

    def duplicates(self) -> Iterator[Problem]:
        first: dict[bytes, int] = {}
        for i, key in enumerate(self.keys):
            if first.setdefault(key, i) != i and self.documents[i].strip():
                yield Problem("duplicate", self.place(i), f"repeats {self.place(first[key])}")

    def schema_problems(self, schema: Schema) -> Iterator[Problem]:
        if isinstance(self.data, Corpus | Path | str | np.ndarray):
            raise TypeError(f"schema checks rows with fields, not {type(self.data).__name__}: give a list of mappings")
        for i, row in enumerate(self.data):
            if not isinstance(row, Mapping):
                raise TypeError(f"schema checks rows with fields, but row {i + 1} is {type(row).__name__}")
            for field, kind in schema.items():
                if field not in row:
                    yield Problem("schema", self.place(i), f"has no field {field!r}")
                elif not _fits(row[field], kind):
                    found, wanted = type(row[field]).__name__, getattr(kind, "__name__", kind)
                    yield Problem("schema", self.place(i), f"has {found} in {field!r}, not {wanted}")


def _as_corpus(data: Data) -> Corpus:
    if isinstance(data, Corpus):
        return data
    if isinstance(data, Path):
        return load_text(data)
    if isinstance(data, str):
        if len(data) < 200 and Path(data).is_file():
            raise TypeError(f"{data!r} would be checked as a text, but is the name of a file: give Path({data!r})")
        return Corpus("text", (data,))
    if isinstance(data, np.ndarray):  # the hashes of equal rows are equal, and share no passage
        documents = tuple(hashlib.sha256(row.tobytes()).hexdigest() for row in data)
    else:
        documents = tuple(map(_row_text, data))
    return Corpus("rows", documents, places=tuple(f"row {i}" for i in range(1, len(documents) + 1)))


def _row_text(row: str | bytes | Mapping[str, Any]) -> str:
    if isinstance(row, bytes):
        return row.decode("utf-8", "surrogateescape")  # invalid bytes become surrogates, which `defects` finds
    if isinstance(row, Mapping):
        return json.dumps(row, ensure_ascii=False, sort_keys=True, default=repr) if row else ""
    if not isinstance(row, str):
        raise TypeError(f"rows are strings, bytes or mappings, not {type(row).__name__}: give other data as np.ndarray")
    return row


def _key(document: str) -> bytes:
    return hashlib.blake2b(" ".join(document.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _fits(value: Any, kind: type | UnionType) -> bool:
    kinds = get_args(kind) or (kind,)
    if isinstance(value, bool):
        return bool in kinds  # in Python a bool is an int, in a schema it is not
    return isinstance(value, (*kinds, int) if float in kinds else kinds)


def _leaks(train: _Side, validation: _Side) -> tuple[list[Problem], list[Problem]]:
    """Return problems and warnings: copied documents first, then copied passages in the others."""
    origin = {key: i for i, key in reversed(list(enumerate(train.keys)))}
    problems, rest = [], []
    for i, key in enumerate(validation.keys):
        if key not in origin:
            rest.append(i)
        elif validation.documents[i].strip():
            problems.append(Problem("leak", validation.place(i), f"is a copy of {train.place(origin[key])}"))
    passages, warnings = _passage_leaks(train, validation, rest)
    return problems + passages, warnings


def _passage_leaks(train: _Side, validation: _Side, rest: list[int]) -> tuple[list[Problem], list[Problem]]:
    a, b = _Joined(train, range(len(train.documents)), "\ufdd0"), _Joined(validation, rest, "\ufdd1")
    found = shared_passages(a.text, b.text)
    copied = [p for p in found if not p.ordinary]
    per_document = np.zeros(len(rest))
    for p in copied:
        per_document[b.index(p.validation)] += _size(p)
    many = per_document.sum() > TOLERATED * len(b.text)
    problems, warnings = [], []
    for p in copied:
        document = b.index(p.validation)
        mostly = per_document[document] > MOSTLY * b.sizes[document]
        what = f"repeats {_size(p)} characters of {a.place(p.train)}"
        refused = many or mostly or _size(p) > BOILERPLATE
        (problems if refused else warnings).append(Problem("leak", b.place(p.validation), what))
    ordinary = sum(_size(p) for p in found if p.ordinary)
    if ordinary > MOSTLY * len(b.text):
        what = f"is {ordinary / len(b.text):.0%} lines or notices that train repeats, so its loss is too low"
        warnings.append(Problem("leak", "validation", what))
    return problems, warnings


def _size(passage: SharedPassage) -> int:
    return passage.validation[1] - passage.validation[0]


class _Joined:
    """Some documents of a side as one text, and the places of its passages.

    Each side has its own border character, which Unicode does not allow in texts: no shared passage can cross it.
    """

    def __init__(self, side: _Side, which: Sequence[int], border: str):
        self.side, self.which = side, which
        self.text = border.join(side.documents[i] for i in which)
        self.sizes = np.array([len(side.documents[i]) for i in which], dtype=np.int64)
        self.starts = np.cumsum(self.sizes + 1) - self.sizes - 1

    def index(self, passage: tuple[int, int]) -> int:
        return int(np.searchsorted(self.starts, passage[0], side="right")) - 1

    def place(self, passage: tuple[int, int]) -> str:
        """Return the first whole line: a passage often begins with the end of the line before, equal by chance."""
        i = self.index(passage)
        start = int(self.starts[i])
        before = self.text.count("\n", start, passage[0])
        inside_line = passage[0] > start and self.text[passage[0] - 1] != "\n"
        return self.side.place(self.which[i], before + 1 + (inside_line and "\n" in self.text[slice(*passage)]))
