"""A student's own page: how far skills and notebooks are filled."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from .html import bar, fill

Shares = Mapping[str, tuple[int, int]]  # by name: how many are done, of how many


def progress_page(skills: Shares, notebooks: Shares) -> str:
    """HTML that needs nothing from elsewhere."""
    return fill("progress.html", skills=_rows(skills), notebooks=_rows(notebooks))


def _rows(shares: Shares) -> str:
    return "".join(
        f'<span>{escape(name)}</span>{bar(done, of)}<span class="score">{done} of {of}</span>'
        for name, (done, of) in shares.items()
    )
