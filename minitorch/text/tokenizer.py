"""What every tokenizer does: each id stands for a piece of UTF-8, and decoding joins the pieces.

A tokenizer is a table `pieces`: id `i` stands for the bytes `pieces[i]`. The subclasses in the next files differ only
in which pieces they have and in how they cut a text into them.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from .._files import atomic_write

FORMAT, VERSION = "minitorch-tokenizer", 1


class Tokenizer:
    """Base class; a subclass sets `kind`, calls `__init__` with its pieces and defines `_encode` and `fields`.

    `special` maps each special token to its id. These ids follow all others, so a tokenizer can be given more special
    tokens later without moving any id that a model has learned.
    """

    kind: ClassVar[str]

    def __init__(self, pieces: Iterable[bytes], special: Iterable[str] = ()) -> None:
        names, plain = check_special(special), tuple(pieces)
        self.special: dict[str, int] = {name: len(plain) + i for i, name in enumerate(names)}
        self.pieces: tuple[bytes, ...] = plain + tuple(name.encode() for name in names)
        # Longest first, because a regular expression takes the first alternative that matches.
        longest_first = sorted(names, key=len, reverse=True)
        self._special_pattern = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def _encode(self, text: str) -> list[int]:
        """Ids of a text in which nothing is special; a `UnicodeEncodeError` says which character has no id."""
        raise NotImplementedError

    def fields(self) -> dict[str, Any]:
        """The arguments that build this tokenizer again; what `save` writes."""
        return {"special": list(self.special)}

    @property
    def vocab_size(self) -> int:
        """Number of ids, special tokens included."""
        return len(self.pieces)

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """Ids of `text`. What looks like a special token is ordinary text unless `allow_special` is set.

        Keep it off for text that a user wrote: a user must not be able to write the token that ends a document.
        Raises TypeError if `text` is no str, ValueError naming the first character that has no id and its position.
        """
        check_text(text)
        parts = self._special_pattern.split(text) if allow_special and self.special else [text]
        ids: list[int] = []
        start = 0
        for i, part in enumerate(parts):
            if i % 2:  # `split` puts what its group matched between the rest
                ids.append(self.special[part])
            else:
                try:
                    ids += self._encode(part)
                except UnicodeEncodeError as error:
                    raise _no_id(text, start + error.start, error.reason) from None
            start += len(part)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids` (a list or a one-dimensional array); bytes that are not UTF-8 become U+FFFD.

        A model may stop in the middle of a character, so this is no error. Raises as `decode_bytes` does.
        """
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Exact bytes of `ids`. Raises TypeError for what is not whole numbers, ValueError for an id out of range."""
        try:
            # An array's `tolist` is far faster than its iterator; `index` refuses 3.0 and "3".
            values = list(map(operator.index, getattr(ids, "tolist", lambda: ids)()))
        except TypeError:
            raise TypeError(
                f"decode takes a list or one-dimensional array of whole numbers, not {_brief(ids)}; "
                "for a batch decode each row: [tokenizer.decode(row) for row in ids]"
            ) from None
        if values and not 0 <= min(values) <= max(values) < self.vocab_size:
            at, bad = next((at, i) for at, i in enumerate(values) if not 0 <= i < self.vocab_size)
            raise ValueError(
                f"id {bad} at position {at} is outside 0..{self.vocab_size - 1}; "
                "decode with the tokenizer that the ids were made with"
            )
        return b"".join(map(self.pieces.__getitem__, values))

    def save(self, path: str | Path) -> None:
        """Write the tokenizer as one JSON file, whole or not at all; `load_tokenizer` reads it."""
        path = Path(path)
        if path.is_dir():
            raise IsADirectoryError(f"cannot write {path}: it is a folder; write {path / 'tokenizer.json'}")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {path}: the folder {path.parent} does not exist; create it first")
        state = {"format": FORMAT, "version": VERSION, "kind": self.kind, **self.fields()}
        atomic_write(path, json.dumps(state, ensure_ascii=False) + "\n")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and (self.kind, self.fields()) == (other.kind, other.fields())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size}, special={list(self.special)})"


def check_text(text: str) -> None:
    """Refuse what is no str, and lone surrogates: Python strings can hold them, UTF-8 and thus files cannot."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {_brief(text)}; bytes become text with data.decode('utf-8')")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = (
            "is half of a surrogate pair and cannot be written as UTF-8; "
            "mend the text with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        )
        raise _no_id(text, error.start, reason) from None


def check_training_text(text: str) -> None:
    """Refuse a text that nothing can be learned from."""
    check_text(text)
    if not text:
        raise ValueError("the training text is empty; give a text with at least one character")


def check_special(special: Iterable[str]) -> list[str]:
    """`special` as a list; refuses special tokens that are no strings, empty, or given twice."""
    if isinstance(special, str):
        raise TypeError(f"special must be a list of strings, not the string {special!r}; write [{special!r}]")
    names = list(special)
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"special token {i} is {name!r}, not a str; give it a name such as '<|end|>'")
        check_text(name)
        if not name:
            raise ValueError(f"special token {i} is the empty string; give it a name such as '<|end|>'")
        if name in names[:i]:
            raise ValueError(f"special token {name!r} is given twice; each has one id, so give it once")
    return names


def _no_id(text: str, at: int, reason: str) -> ValueError:
    return ValueError(f"character {text[at]!r} (U+{ord(text[at]):04X}) at position {at} {reason}")


def _brief(value: object) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {shape}" if shape is not None else "")
