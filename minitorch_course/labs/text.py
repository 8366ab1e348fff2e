"""Text that students write: decode a file, whatever the editor saved, and count its words in any script."""

from __future__ import annotations

import codecs
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
WITHOUT_SPACES = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)  # beginnings of letters' names
LETTERS_OF_A_WORD = 2  # about, in those scripts


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte-order mark, with lines that end with a newline.

    Raises ValueError if it is neither.
    """
    content = path.read_bytes()
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not text in UTF-8 (byte {error.start}): save it as UTF-8 in your editor.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def count_words(text: str) -> int:
    """Return the number of words. In a script without spaces, two letters count as one."""
    unspaced = {letter for letter in set(text) if letter.isalpha() and _name(letter).startswith(WITHOUT_SPACES)}
    letters = sum(letter in unspaced for letter in text)
    words = "".join(" " if letter in unspaced else letter for letter in text).split()
    return sum(any(map(str.isalnum, word)) for word in words) + -(-letters // LETTERS_OF_A_WORD)


def _name(letter: str) -> str:
    return unicodedata.name(letter, "")
