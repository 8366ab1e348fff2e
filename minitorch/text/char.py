"""The character tokenizer: unlike the byte tokenizer it learns its vocabulary, the set of characters of a text.

One id per letter in every script, and a small vocabulary if the text has few different characters. The price: a
character that is not in the training text cannot be encoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tokenizer import Tokenizer, check_text, check_training_text

if TYPE_CHECKING:
    from collections.abc import Iterable


class CharTokenizer(Tokenizer):
    """Id `i` is `characters[i]`; special tokens follow. Encoding any other character raises ValueError."""

    kind = "char"

    def __init__(self, characters: str, special: Iterable[str] = ()) -> None:
        check_text(characters)
        self._id_of = {character: i for i, character in enumerate(characters)}
        if len(self._id_of) < len(characters):
            raise ValueError(f"a character is given twice in {characters!r}; give each once")
        super().__init__((character.encode() for character in characters), special)

    @classmethod
    def train(cls, text: str, special: Iterable[str] = ()) -> CharTokenizer:
        """Build the vocabulary from the characters of `text`, sorted by code point."""
        check_training_text(text)
        return cls("".join(sorted(set(text))), special)

    def _encode(self, text: str) -> list[int]:
        try:
            return list(map(self._id_of.__getitem__, text))
        except KeyError as error:
            at = text.index(error.args[0])
            reason = (
                f"is not among the {len(self._id_of)} characters that this tokenizer was trained on; "
                "train it on a text that has this character, or use 'byte' or 'bpe:N', which can encode any text"
            )
            raise UnicodeEncodeError("char", text, at, at + 1, reason) from None

    def to_dict(self) -> dict[str, Any]:
        return {"characters": "".join(self._id_of), **super().to_dict()}
