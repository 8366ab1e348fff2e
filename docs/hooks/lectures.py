"""Lectures as pages of the site, each with the slides that `minitorch course lecture` creates from the same source."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from minitorch_course.author.lecture import make_lecture

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "lectures"
FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
FENCED = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)
SLIDE = re.compile(r"^---\n", re.MULTILINE)
FIGURE = re.compile(r"^!\[(?P<words>(?:[^]\\]|\\.)+)\]\((?P<uri>[^)]+)\)(?P<size>\{[^}]*\})?$", re.MULTILINE)
SHOWN = '<figure markdown="span">\n![{plain}]({uri})\n<figcaption markdown="span">{words}</figcaption>\n</figure>'
HEADER = """---
title: "{number} {title}"
---
<p class="kind" markdown>Lecture · [slides]({stem}-slides.html){notebook}</p>

# {number} {title}

{subtitle}
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page and slides for each lecture, and the figures."""
    for figure in sorted((ROOT / "lectures" / "figures").glob("*.svg")):
        files.append(File.generated(config, f"lectures/figures/{figure.name}", abs_src_path=str(figure)))
    for source in sorted((ROOT / "lectures").glob("[0-9][0-9]_*.md")):
        files.append(File.generated(config, f"lectures/{source.name}", content=page(source)))
        files.append(File.generated(config, f"lectures/{source.stem}-slides.html", abs_src_path=str(_slides(source))))
    return files


def page(source: Path) -> str:
    """Return the lecture in the Markdown of the site, with the speaker's notes as its text."""
    text = source.read_text(encoding="utf-8")
    front = FRONT.match(text)
    fields = dict(re.findall(r"^(\w+): *(.*)$", front[1], re.MULTILINE))
    notebook = f" · [its notebook](../notebooks/{source.stem}.md)" if _notebook(source).exists() else ""
    header = HEADER.format(
        number=source.stem[:2],
        stem=source.stem,
        notebook=notebook,
        title=fields["title"],
        subtitle=f'<p class="subtitle" markdown>{fields["subtitle"]}</p>\n' if "subtitle" in fields else "",
    )
    parts = FENCED.split(text[front.end() :])
    return header + "".join(part if i % 2 else _translate(part) for i, part in enumerate(parts))


def _notebook(source: Path) -> Path:
    return ROOT / "notebooks" / f"{source.stem}.ipynb"


def _translate(text: str) -> str:
    """Translate pandoc's divisions to the site's, and pictures to figures with a caption."""
    text = SLIDE.sub("", text)
    text = re.sub(r"^::: notes\n(.*?)^:::$", r"\1", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^:::: columns$", '<div class="columns" markdown>\n', text, flags=re.MULTILINE)
    text = re.sub(
        r"^::: \{\.column width=\"(\d+)%\"\}$",
        r'<div class="column" style="flex: \1" markdown>' + "\n",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(r"^:{3,4}$", "\n</div>", text, flags=re.MULTILINE)
    return FIGURE.sub(_figure, text)


def _figure(found: re.Match[str]) -> str:
    plain = re.sub(r"[$`*]", "", found["words"])
    return SHOWN.format(plain=plain, uri=found["uri"], words=found["words"])


def _slides(source: Path) -> Path:
    """Return the slides, rebuilt if the lecture, a figure or the template is newer."""
    slides = OUT / f"{source.stem}-slides.html"
    pages = ROOT / "minitorch_course" / "author" / "pages"
    inputs = [source, *source.parent.glob(f"figures/{source.stem[:2]}_*.svg"), *pages.iterdir()]
    if not slides.exists() or slides.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
        try:
            make_lecture(source, OUT)
        except (ValueError, ImportError) as error:
            raise PluginError(str(error)) from error
    return slides
