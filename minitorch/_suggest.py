"""Suggestions in error messages: the known name that is nearest to an unknown one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'train'?` with the known name that is nearest to `name`, or "" if none is near.

    Upper and lower case count as equal, and the dashes of options do not count.
    """
    words = {_bare(word): word for word in known}
    nearest = difflib.get_close_matches(_bare(str(name)), words, n=1)
    return f" Did you mean {words[nearest[0]]!r}?" if nearest else ""


def _bare(word: str) -> str:
    return word.lower().lstrip("-")
