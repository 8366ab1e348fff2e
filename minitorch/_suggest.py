"""Suggestions in error messages: the known name that is nearest to an unknown one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'train'?` with the known name that is nearest to `name`, or "" if none is near.

    Upper and lower case count as equal, and the dashes of options do not count.
    """
    words = {_bare(word): word for word in known}
    nearest = difflib.get_close_matches(_bare(str(name)), words, n=1, cutoff=0.65)  # 0.6 finds width for depth
    return f" Did you mean {words[nearest[0]]!r}?" if nearest else ""


def did_you_mean_path(path: Path, names: Iterable[str] = ()) -> str:
    """Return as `did_you_mean` does the nearest of `names` and of the files and folders next to a missing `path`."""
    next_to_it = path.parent.iterdir() if path.parent.is_dir() else ()
    return did_you_mean(path.name, [*names, *(other.name for other in next_to_it if other != path)])


def _bare(word: str) -> str:
    return word.lower().lstrip("-")
