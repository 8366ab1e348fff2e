"""Lectures: a page to read and a deck of slides, from one Markdown source.

A source is `lectures/NN_topic.md` in pandoc's Markdown, without HTML. Its front matter gives `title` and optionally
`subtitle`. A line `---` begins a slide, and so does a heading `## ...`. The speaker's notes stand in a block from
`::: notes` to `:::`; the page shows them as text, the deck does not. Formulas between dollars become MathML, and
pictures are embedded, so that the output needs neither a network nor other files.
"""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from minitorch._files import atomic_write
from minitorch._optional import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

INSTALL = "pip install 'minitorch-course[lectures]'"
FORMATS = {"": "html5", "-slides": "dzslides"}  # ending of the file's name: pandoc's writer


def find_lectures(folder: Path, wanted: Sequence[str]) -> list[Path]:
    """Return the sources in `folder` that `wanted` names, as `02` or `02_autodiff`; all if it is empty.

    Raises:
      FileNotFoundError: there is no such lecture.
    """
    sources = sorted(folder.glob("[0-9][0-9]_*.md"))
    if not sources:
        raise FileNotFoundError(
            f"There is no lecture NN_topic.md in {folder}: give the repository's folder with --root."
        )
    return [_find_one(lecture, sources) for lecture in wanted] or sources


def _find_one(wanted: str, sources: Sequence[Path]) -> Path:
    for source in sources:
        if wanted in (source.stem, source.stem.partition("_")[0]):
            return source
    there = ", ".join(source.stem for source in sources)
    raise FileNotFoundError(f"No lecture is called {wanted!r}. There are: {there}.")


def make_lecture(source: Path, out: Path) -> tuple[Path, Path]:
    """Write `source` as the page `out`/NN_topic.html and the deck `out`/NN_topic-slides.html, and return both paths.

    Raises:
      ValueError: a picture is missing or has no description, or pandoc gives a warning.
      ImportError: pandoc is not installed.
    """
    pandoc = require("pypandoc", "Building a lecture", INSTALL)
    _validate(source, json.loads(_convert(pandoc, source, "json", [])))
    out.mkdir(parents=True, exist_ok=True)
    page, deck = (out / f"{source.stem}{ending}.html" for ending in FORMATS)
    with as_file(files(__name__.rpartition(".")[0]) / "pages") as pages:
        for path, (ending, writer) in zip((page, deck), FORMATS.items(), strict=True):
            template = pages / ("slides.html" if ending else "lecture.html")
            atomic_write(path, _convert(pandoc, source, writer, _options(source, template, pages / "lecture.css")))
    return page, deck


def _options(source: Path, template: Path, style: Path) -> list[str]:
    return [
        "--standalone",
        "--embed-resources",
        "--mathml",
        "--section-divs",
        "--slide-level=2",
        f"--template={template}",
        f"--css={style}",
        f"--variable=name:{source.stem}",
        f"--resource-path={source.parent}",
        "--fail-if-warnings",
    ]


def _convert(pandoc: Any, source: Path, to: str, options: list[str]) -> str:
    try:
        return pandoc.convert_file(source, to, format="markdown", extra_args=options)
    except RuntimeError as error:  # What pandoc said ends its message.
        raise ValueError(
            f"{source} cannot be converted: {str(error).partition('output:')[2].strip() or error}"
        ) from error


def _validate(source: Path, document: Any) -> None:
    """Reject what pandoc would accept silently, fetch from the network, or leave out."""
    if not document["meta"].get("title"):
        raise ValueError(f"{source} has no title: begin it with the lines `---`, `title: ...` and `---`.")
    for _, text in _nodes(document, "RawBlock", "RawInline"):
        if not text.startswith("<!--"):
            raise ValueError(
                f"{source} holds {text!r}, which is not Markdown: put it between backquotes, or leave it out."
            )
    for _, description, (target, _) in _nodes(document, "Image"):
        if not (source.parent / target).is_file():
            raise ValueError(f"{source} shows the picture {target}, and there is no such file next to it.")
        if not description:
            raise ValueError(f"{source} shows {target} without a description: ![what is seen]({target}).")


def _nodes(node: Any, *kinds: str) -> Iterator[Any]:
    """Yield the contents of all nodes of these kinds in a document, as pandoc's JSON has them."""
    if isinstance(node, dict) and node.get("t") in kinds:
        yield node["c"]
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _nodes(child, *kinds)
