"""The byte tokenizer: every text is already a sequence of numbers, the bytes of its UTF-8.

Nothing to learn, nothing it cannot encode, 256 ids. The price is length: one id a letter in English, two a letter in
Greek, three or four in Chinese or emoji.
"""

from __future__ import annotations

from collections.abc import Iterable

from .tokenizer import Tokenizer


class ByteTokenizer(Tokenizer):
    """Id `b` is the byte `b`, for 0..255; then the special tokens."""

    kind = "byte"

    def __init__(self, special: Iterable[str] = ()) -> None:
        super().__init__((bytes([b]) for b in range(256)), special)

    def _encode(self, text: str) -> list[int]:
        return list(text.encode())
