"""Pages whose source is a file outside of `docs`, read in place and never copied."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[([^]]+)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each included file."""
    for source, uri in included().items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
    return files


def included() -> dict[str, str]:
    """Return the page of each included file: its path in the repository to its address."""
    labs = {f"labs/{path.parent.name}/README.md": f"labs/{path.parent.name}.md" for path in _glob("labs/*/README.md")}
    measured = {f"benchmarks/{path.name}": f"compare/{path.name}" for path in _glob("benchmarks/*.md")}
    measured.pop("benchmarks/README.md")
    return {
        "CONTRIBUTING.md": "contribute/index.md",
        "ARCHITECTURE.md": "contribute/architecture.md",
        "CHANGELOG.md": "contribute/changelog.md",
        "CODE_OF_CONDUCT.md": "contribute/code-of-conduct.md",
        "SECURITY.md": "contribute/security.md",
        "labs/README.md": "labs/index.md",
        **labs,
        **measured,
    }


def _glob(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point the links of an included file at the site's pages, and replace other links by their words."""
    pages = included()
    source = next((source for source, uri in pages.items() if uri == page.file.src_uri), None)
    if source is None:
        return markdown
    return "".join(
        part if i % 2 else LINK.sub(lambda found: _link(found, source, pages), part)
        for i, part in enumerate(_split_code(markdown))
    )


def _split_code(markdown: str) -> list[str]:
    """Split into text and code blocks, alternating. Inline code stays with the text, so that a link may contain it."""
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
    """Return the page of a file in `docs`, of a notebook or of a lecture."""
    folder, _, name = target.partition("/")
    if folder in ("notebooks", "lectures") and re.fullmatch(r"\d\d_\w+\.\w+", name):
        return f"{folder}/{Path(name).stem}.md"
    return name if folder == "docs" and name.endswith(".md") else None
