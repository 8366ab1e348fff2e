"""The built site as files: complete, linked, described and self-contained."""

import html
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
LECTURES = sorted(path.stem for path in (ROOT / "lectures").glob("[0-9][0-9]_*.md"))
EXTERNAL = ("http:", "https:", "mailto:", "data:", "//")


@pytest.fixture(scope="module")
def pages(site):
    """The source of every page of the site by its path."""
    return {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}


def attributes(source, tag, name):
    """Return the values of an attribute, comments excluded."""
    source = re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL)
    return [html.unescape(v) for v in re.findall(rf"<{tag}\b[^>]*?\b{name}=[\"']([^\"']*)[\"']", source)]


def test_every_notebook_lecture_lab_and_measurement_has_a_page(site):
    for stem in NOTEBOOKS:
        assert (site / "notebooks" / f"{stem}.html").exists()
    for stem in LECTURES:
        assert (site / "lectures" / f"{stem}.html").exists()
        assert (site / "lectures" / f"{stem}-slides.html").exists()
    for path in (ROOT / "labs").glob("*/README.md"):
        assert (site / "labs" / f"{path.parent.name}.html").exists()
    for path in (ROOT / "benchmarks").glob("[!R]*.md"):
        assert (site / "compare" / f"{path.stem}.html").exists()


def test_every_link_and_anchor_has_a_target(pages, site):
    anchors = {path: {*attributes(source, r"\w+", "id"), ""} for path, source in pages.items()}
    for path, source in pages.items():
        if path.name == "404.html" or path.name.endswith("-slides.html"):
            continue
        for link in {*attributes(source, "a", "href"), *attributes(source, "img", "src")}:
            if link.startswith(EXTERNAL):
                continue
            target, anchor = urldefrag(unquote(link))
            place = (path.parent / target).resolve() if target not in ("", ".") else path
            place = place / "index.html" if place.is_dir() else place
            assert place.exists(), (path.relative_to(site), link)
            assert place.suffix != ".html" or anchor in anchors[place], (path.relative_to(site), link)


def test_every_picture_has_a_description(pages, site):
    for path, source in pages.items():
        pictures = re.findall(r"<img\b[^>]*>", source)
        described = [words for picture in pictures for words in attributes(picture, "img", "alt") if len(words) > 3]
        assert len(described) == len(pictures), path.relative_to(site)


def test_nothing_is_fetched_from_another_host(pages, site):
    for path, source in pages.items():
        fetched = [v for tag in ("script", "img", "iframe") for v in attributes(source, tag, "src")]
        fetched += attributes(source, "link", "href")
        assert not [v for v in fetched if v.startswith(("http:", "https:", "//"))], path.relative_to(site)
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_formulas_are_mathml_everywhere_on_a_page(pages):
    """Also in tables of contents: code is the only place where TeX is left."""
    for path, source in pages.items():
        prose = re.sub(r"<(script|pre|code|style)\b.*?</\1>", "", source, flags=re.DOTALL)
        assert not re.findall(r"\\\(|\\\[|class=\"arithmatex\"|\$[^$<\n]*\\[a-z]+[^$<\n]*\$", prose), path
    assert sum(source.count("<math") for source in pages.values()) > 500


def test_a_notebook_shows_the_exercise_and_folds_its_solution(site):
    source = (site / "notebooks" / "02_autodiff.html").read_text(encoding="utf-8")
    shown = re.sub(r"<details.*?</details>", "", source, flags=re.DOTALL)
    text, visible = (html.unescape(re.sub(r"<[^>]+>", "", part)) for part in (source, shown))
    solution = "grads[arg] += rules[op][k](grads[i], y, *values)"
    assert solution in text
    assert solution not in visible
    assert "raise NotImplementedError" in visible
    assert "inputs.uniform" not in text
