"""The byte tokenizer: the ids of a text are its bytes in UTF-8.

It learns nothing, encodes every text, and has 256 ids. The price is length: one id per letter in English, two in Greek,
three per character in Chinese, four or more per emoji.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable


class ByteTokenizer(Tokenizer):
    """Id `b` is the byte `b`, for 0..255; special tokens follow."""

    kind = "byte"

    def __init__(self, special: Iterable[str] = ()) -> None:
        super().__init__((bytes([b]) for b in range(256)), special)

    def _encode(self, text: str) -> list[int]:
        return list(text.encode())
