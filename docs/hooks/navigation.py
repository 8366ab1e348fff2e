"""Expand an entry `folder/*` of the navigation to the pages of that folder, generated ones included, index first."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from mkdocs.plugins import event_priority

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


@event_priority(-50)  # After every page was added.
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Expand the stars of the navigation."""
    pages = [file.src_uri for file in files.documentation_pages()]
    config.nav = _expanded(config.nav, sorted(pages, key=lambda page: not page.endswith("/index.md")))
    return files


def _expanded(entry: Any, pages: list[str]) -> Any:
    if isinstance(entry, dict):
        return {title: _expanded(inner, pages) for title, inner in entry.items()}
    if not isinstance(entry, list):
        return entry
    stars = [page for page in entry if isinstance(page, str) and page.endswith("*")]
    made = []
    for inner in entry:
        made += [page for page in pages if fnmatch(page, inner)] if inner in stars else [_expanded(inner, pages)]
    return made
