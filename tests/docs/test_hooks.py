"""The hooks that generate pages: they refuse undocumented names and broken formulas, and rewrite links."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs", reason="The site needs mkdocs: make .venv/.docs")
import griffe
from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parents[2]
MODULE = '''"""What is tested?"""

from .inner import Base, Known, alias, plain, unknown

__all__ = ["Base", "Known", "alias", "plain", "unknown"]
'''
INNER = '''
from collections.abc import Callable

alias = Callable[[], int]
"""A function of nothing."""
plain = Callable[[], int]


class Base:
    """Said here."""

    def said(self):
        """Said once."""


class Known(Base):
    """A class."""

    field: int

    def said(self):
        return 1

    @property
    def unsaid(self):
        return 1

    def _private(self):
        return 1


def unknown():
    return 1
'''


def hook(name):
    spec = importlib.util.spec_from_file_location(f"hooks_{name}", ROOT / "docs" / "hooks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_public_names_without_docstring_are_named_with_file_and_line(tmp_path):
    part = tmp_path / "pack" / "part"
    part.mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").write_text("")
    (part / "__init__.py").write_text(MODULE)
    (part / "inner.py").write_text(INNER)
    package = griffe.load("pack", search_paths=[tmp_path])
    found = [line.rpartition(": ")[::2] for line in hook("reference").undocumented(package["part"])]
    assert {name for _, name in found} == {
        "pack.part.inner.plain",
        "pack.part.inner.Known.unsaid",
        "pack.part.inner.unknown",
    }
    assert all("inner.py:" in place for place, _ in found)


def test_links_of_included_files_point_to_pages_or_become_words():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="contribute/index.md"))
    given = (
        "[a](ARCHITECTURE.md#the-layers) [b](notebooks/02_autodiff.ipynb) [`c`](minitorch/models/gpt.py) "
        "[d](docs/teach.md) [e](https://example.org) [f](#here)\n```\n[g](LICENSE)\n```\n"
    )
    assert hook("included").on_page_markdown(given, page) == (
        "[a](architecture.md#the-layers) [b](../notebooks/02_autodiff.md) `c` "
        "[d](../teach.md) [e](https://example.org) [f](#here)\n```\n[g](LICENSE)\n```\n"
    )


def test_a_star_in_the_navigation_expands_to_the_pages_of_a_folder():
    expanded = hook("navigation")._expanded(
        [{"How-to": ["how-to/a.md", "how-to/x*"]}], ["how-to/a.md", "how-to/x1.md", "how-to/x2.md", "b.md"]
    )
    assert expanded == [{"How-to": ["how-to/a.md", "how-to/x1.md", "how-to/x2.md"]}]


def test_a_formula_that_pandoc_cannot_read_fails_the_build():
    formulas, page = hook("formulas"), SimpleNamespace(file=SimpleNamespace(src_uri="a.md"), toc=[])
    good = '<p><span class="arithmatex">\\(x &lt; y^2\\)</span></p>'
    html = formulas.on_page_content(good, page)
    assert html.startswith("<p><math")
    assert "<msup>" in html
    assert "annotation" not in html
    with pytest.raises(PluginError, match=r"a\.md: 1 formulas, of which pandoc reads 0"):
        formulas.on_page_content(good.replace("y^2", "\\frac{y}{"), page)


def test_a_lecture_loses_its_slides_and_keeps_the_notes(tmp_path):
    source = tmp_path / "42_answers.md"
    source.write_text(
        "---\ntitle: Answers\n---\n\n## One\n\n```\n---\n```\n\n::: notes\nSaid.\n:::\n\n---\n\n"
        "![Of $x$](figures/a.svg)\n",
        encoding="utf-8",
    )
    page = hook("lectures").page(source)
    assert "# 42 Answers" in page
    assert "[slides](42_answers-slides.html)" in page
    assert "```\n---\n```\n\nSaid.\n" in page
    assert ":::" not in page
    assert page.count("---") == 3
    assert "![Of x](figures/a.svg)" in page
    assert '<figcaption markdown="span">Of $x$</figcaption>' in page
