"""Students' text made safe to show in a page or a table, or to name a file."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Control characters, marks that reorder text (https://trojansource.codes), lone surrogates and noncharacters. Tab and
# newline stay, and so do the marks and joiners that Arabic, Hebrew, Persian and Indic scripts need.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SIMPLE = re.compile(r"[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # by Windows, with any extension
_HASHED = re.compile(r".*-[0-9a-f]{16}")


def visible_text(value: object, limit: int) -> str:
    """Return `value` as text, with every invisible character written as in `[U+202E]`.

    Text of more than `limit` characters is cut, and ends with the number of characters that are missing.
    """
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    rest = len(text) - limit
    text = _INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text[:limit])
    return f"{text} [and {rest:,} characters more]" if rest > 0 else text


def one_line(value: object, limit: int = 300) -> str:
    """Return `value` as one line of text for a terminal or a log, on which it can neither move nor start a new line."""
    return visible_text(" ".join(str(value).split()), limit)


def file_name(student: str) -> str:
    """Return a file name for `student` that is safe on every system and unique to this student.

    A name of lower-case letters, digits and `._-` is returned unchanged. Every other name gets a hash, so that no
    student can take the place of another: neither `S01` that of `s01`, nor `s01-<hash of S01>` that of `S01`.
    """
    if _SIMPLE.fullmatch(student) and not _RESERVED.fullmatch(student) and not _HASHED.fullmatch(student):
        return student
    ascii_only = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    readable = re.sub("[^a-z0-9]+", "-", ascii_only).strip("-")[:40]
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return f"student-{readable}-{digest[:16]}".replace("--", "-")
