"""The student's own page: how much of each skill and notebook is done."""

from __future__ import annotations

from collections.abc import Mapping

from .html import render

Shares = Mapping[str, tuple[int, int]]  # by name: how many are done, of how many


def progress_page(skills: Shares, notebooks: Shares) -> str:
    """Return a page of HTML that needs no other file."""
    return render("progress.html", skills=skills, notebooks=notebooks)
