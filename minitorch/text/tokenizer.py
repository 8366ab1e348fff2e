"""The base class of tokenizers: each id stands for some bytes of UTF-8, and decoding joins them.

A tokenizer is a table `vocab`: id `i` stands for the bytes `vocab[i]`. The subclasses in the next files differ only in
their vocabulary and in how they split a text into its entries.
"""

from __future__ import annotations

import json
import operator
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from .._files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT, VERSION = "minitorch-tokenizer", 1
END_OF_TEXT = "<|endoftext|>"
"""The special token between two documents, with GPT-2's name."""


class Tokenizer:
    """Base class. A subclass sets `kind`, calls `__init__` with its vocabulary, and defines `_encode` and `to_dict`.

    `special` maps each special token to its id. These ids follow all others, so more special tokens can be added later
    without moving an id that a model has learned.
    """

    kind: ClassVar[str]

    def __init__(self, vocab: Iterable[bytes], special: Iterable[str] = ()) -> None:
        names, plain = check_special(special), tuple(vocab)
        self.special: dict[str, int] = {name: len(plain) + i for i, name in enumerate(names)}
        self.vocab: tuple[bytes, ...] = plain + tuple(name.encode() for name in names)
        # Longest first, because a regular expression takes the first alternative that matches.
        longest_first = sorted(names, key=len, reverse=True)
        self._special_pattern = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def _encode(self, text: str) -> list[int]:
        """Return the ids of a text without special tokens; raise UnicodeEncodeError at a character without an id."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments of the constructor, which `save` writes."""
        return {"special": list(self.special)}

    @property
    def vocab_size(self) -> int:
        """The number of ids, special tokens included."""
        return len(self.vocab)

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """Return the ids of `text`. Special tokens in it are ordinary text unless `allow_special` is set.

        Keep it off for text that a user wrote: a user must not be able to write the token that ends a document.

        Raises:
          TypeError: `text` is not a str.
          ValueError: a character has no id; the message names the first one and its position.
        """
        check_text(text)
        parts = self._special_pattern.split(text) if allow_special and self.special else [text]
        ids: list[int] = []
        start = 0
        for i, part in enumerate(parts):
            if i % 2:  # `split` puts the matches of its group at the odd places
                ids.append(self.special[part])
            else:
                try:
                    ids += self._encode(part)
                except UnicodeEncodeError as error:
                    raise _no_id(text, start + error.start, error.reason) from None
            start += len(part)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids` (a list or a one-dimensional array); bytes that are not UTF-8 become U+FFFD.

        They are not an error, since a model may stop in the middle of a character. Raises as `decode_bytes` does.
        """
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the exact bytes of `ids`.

        Raises:
          TypeError: the ids are not a row of whole numbers.
          ValueError: an id is out of range.
        """
        try:
            # An array's `tolist` is far faster than its iterator; `index` rejects 3.0 and "3".
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
                "decode with the tokenizer that encoded them"
            )
        return b"".join(map(self.vocab.__getitem__, values))

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to one JSON file, atomically; `load_tokenizer` reads it."""
        path = Path(path)
        if path.is_dir():
            raise IsADirectoryError(f"cannot write {path}: it is a folder; write {path / 'tokenizer.json'}")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"cannot write {path}: the folder {path.parent} does not exist; create it first")
        state = {"format": FORMAT, "version": VERSION, "kind": self.kind, **self.to_dict()}
        atomic_write(path, json.dumps(state, ensure_ascii=False) + "\n")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokenizer) and (self.kind, self.to_dict()) == (other.kind, other.to_dict())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size}, special={list(self.special)})"


def check_text(text: str) -> None:
    """Raise if `text` is not a str, or has lone surrogates: Python strings can hold them, but UTF-8 cannot."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {_brief(text)}; bytes become text with data.decode('utf-8')")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = (
            "is half of a surrogate pair and cannot be written as UTF-8; "
            "repair the text with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        )
        raise _no_id(text, error.start, reason) from None


def check_training_text(text: str) -> None:
    """Raise if nothing can be learned from `text`."""
    check_text(text)
    if not text:
        raise ValueError("the training text is empty; give a text with at least one character")


def check_special(special: Iterable[str]) -> list[str]:
    """Return `special` as a list; raise if a special token is not a string, is empty, or is given twice."""
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
