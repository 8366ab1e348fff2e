import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from minitorch_course.author.lecture import INSTALL, find_lectures, make_lecture

LECTURES = Path(__file__).parents[3] / "lectures"
SOURCE = """---
title: Slopes & more
subtitle: What a derivative is
---

## First

Of $x^2$ it is $2x$:

$$ \\frac{d}{dx} x^2 = 2 x $$

::: notes
Said `<aloud>`.
:::

---

## Second

![A parabola](figures/01_parabola.svg)

```python
def slope(x): return 2 * x
```

---

Still the second.
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><path d="M0 0Q1 2 2 0"/></svg>'

pandoc = pytest.importorskip("pypandoc", reason=f"Lectures need pandoc: {INSTALL}")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "lec tures ü"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "01_parabola.svg").write_text(PICTURE, encoding="utf-8")
    path = folder / "01_slopes.md"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.fixture
def made(source, tmp_path):
    """Page and deck as text."""
    return [path.read_text(encoding="utf-8") for path in make_lecture(source, tmp_path / "out")]


def links(html):
    found = []

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(value for name, value in attrs if name in ("src", "href"))

    parser = Links()
    parser.feed(html)
    return found


def test_a_source_makes_a_page_and_a_deck(source, tmp_path):
    page, deck = make_lecture(source, tmp_path / "out" / "new")
    assert (page.name, deck.name) == ("01_slopes.html", "01_slopes-slides.html")
    assert {path.name for path in page.parent.iterdir()} == {page.name, deck.name}


def test_both_have_title_formulas_and_pictures(made):
    for html in made:
        assert "<h1>Slopes &amp; more</h1>" in html
        assert "What a derivative is" in html
        assert html.count("<math") == 3
        assert "<mfrac>" in html
        assert 'src="data:image/svg+xml;base64,' in html
        assert 'alt="A parabola"' in html
        assert '<span class="kw">def</span>' in html


def test_the_deck_has_a_slide_for_the_title_and_one_for_each_part(made):
    assert len(re.findall('<section [^>]*class="slide', made[1])) == 4
    assert "<hr" not in made[1]


def test_the_page_shows_what_is_said_and_the_deck_hides_it(made):
    page, deck = made
    assert "<p>Said <code>&lt;aloud&gt;</code>.</p>" in page
    assert ".notes" not in page
    assert ".notes, .where { display: none; }" in deck


def test_nothing_else_is_needed(made):
    for html in made:
        assert [link for link in links(html) if not link.startswith(("data:", "#"))] in ([], ["01_slopes-slides.html"])
        assert "url(" not in html
        assert "@import" not in html
        assert "prefers-color-scheme: dark" in html


def test_only_the_deck_has_a_script(made):
    assert [html.count("<script") for html in made] == [0, 1]


def test_the_same_source_makes_the_same_bytes(source, tmp_path, made):
    assert [path.read_text(encoding="utf-8") for path in make_lecture(source, tmp_path / "again")] == made


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("figures/01_parabola.svg", "figures/02_other.svg", "no such file"),
        ("figures/01_parabola.svg", "https://example.org/a.svg", "no such file"),
        ("![A parabola]", "![]", "without a description"),
        ("title: Slopes & more", "author: nobody", "no title"),
        ("Still", "<script>", "<script>.*not Markdown"),
        ("Still", "a List<int>", "<int>.*not Markdown"),
        ("\\frac{d}{dx}", "\\frac{d}{", "math"),
    ],
)
def test_a_defect_is_refused_and_named(old, new, message, source, tmp_path):
    assert old in SOURCE
    source.write_text(SOURCE.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        make_lecture(source, tmp_path / "out")
    assert str(source) in str(caught.value)
    assert not list((tmp_path / "out").glob("*"))


def test_lectures_are_found_by_number_or_name(source):
    folder = source.parent
    (folder / "README.md").touch()
    assert (
        find_lectures(folder, ["01"]) == find_lectures(folder, ["01_slopes"]) == find_lectures(folder, []) == [source]
    )
    with pytest.raises(FileNotFoundError, match=r"No lecture is called '07'\. There are: 01_slopes"):
        find_lectures(folder, ["07"])
    with pytest.raises(FileNotFoundError, match="--root"):
        find_lectures(folder.parent, [])


@pytest.mark.parametrize("lecture", sorted(LECTURES.glob("[0-9][0-9]_*.md")), ids=lambda path: path.stem)
def test_every_lecture_of_the_course_can_be_made(lecture, tmp_path):
    page, deck = (path.read_text(encoding="utf-8") for path in make_lecture(lecture, tmp_path))
    slides = len(re.findall('<section [^>]*class="slide', deck))
    assert 5 <= slides <= 40
    assert page.count('class="notes"') >= slides / 3
    assert not [link for link in links(page + deck) if link.startswith("//")]
