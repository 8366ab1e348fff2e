"""Pages that are files of the repository outside of `docs`: read where they stand, never copied."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[([^]]+)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each of those files."""
    for source, uri in included().items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
    return files


def included() -> dict[str, str]:
    """From a file of the repository to the page that is made of it."""
    labs = {f"labs/{path.parent.name}/README.md": f"labs/{path.parent.name}.md" for path in _those("labs/*/README.md")}
    measured = {f"benchmarks/{path.name}": f"compare/{path.name}" for path in _those("benchmarks/*.md")}
    measured.pop("benchmarks/README.md")
    return {
        "CONTRIBUTING.md": "contribute/index.md",
        "ARCHITECTURE.md": "contribute/architecture.md",
        "CHANGELOG.md": "contribute/changelog.md",
        "labs/README.md": "labs/index.md",
        **labs,
        **measured,
    }


def _those(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point the links of such a file at the site's pages; a link to what is no page becomes plain words."""
    pages = included()
    source = next((source for source, uri in pages.items() if uri == page.file.src_uri), None)
    if source is None:
        return markdown
    return "".join(
        part if i % 2 else LINK.sub(lambda found: _link(found, source, pages), part)
        for i, part in enumerate(_apart(markdown))
    )


def _apart(markdown: str) -> list[str]:
    """Text and code by turns. A link whose words are code stays with the text."""
    parts, text = [], ""
    for i, part in enumerate(CODE.split(markdown)):
        if i % 2 and part.startswith("```"):
            parts, text = [*parts, text, part], ""
        else:
            text += part
    return [*parts, text]


def _link(found: re.Match[str], source: str, pages: dict[str, str]) -> str:
    words, target, anchor = found.groups()
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    uri = pages.get(target) or _page(target)
    if uri is None:
        return words
    return f"[{words}]({posixpath.relpath(uri, posixpath.dirname(pages[source]))}{anchor or ''})"


def _page(target: str) -> str | None:
    """The page of a file in `docs`, of a notebook or of a lecture."""
    folder, _, name = target.partition("/")
    if folder in ("notebooks", "lectures") and re.fullmatch(r"\d\d_\w+\.\w+", name):
        return f"{folder}/{Path(name).stem}.md"
    return name if folder == "docs" and name.endswith(".md") else None
