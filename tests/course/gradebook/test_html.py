import pytest
from jinja2 import UndefinedError

from minitorch_course.gradebook import html
from minitorch_course.gradebook.html import PARAGRAPH


@pytest.fixture
def render():
    """Return a page from the source of a template."""
    return lambda source, **values: html._environment().from_string(source).render(values)


def test_a_value_without_a_filter_is_escaped_made_visible_and_bounded(render):
    assert render('<p title="{{ x }}">{{ x }}</p>', x="<b>'\"&") == (
        '<p title="&lt;b&gt;&#39;&#34;&amp;">&lt;b&gt;&#39;&#34;&amp;</p>'
    )
    assert render("{{ x }}", x="a\u202eb\x00") == "a[U+202E]b[U+0000]"
    assert render("{{ x }}", x="a" * 10_000) == "a" * PARAGRAPH + " [and 8,000 characters more]"


def test_text_is_cut_before_it_is_escaped(render):
    assert render("{{ x | name }}", x="<" * 81) == "&lt;" * 80 + " [and 1 characters more]"


def test_a_bar_is_filled_between_nothing_and_all(render):
    source = "{% from 'macros.html' import bar %}{{ bar(part, whole) }}"
    for part, whole, width in ((1, 3, "33.3"), (0, 0, "0"), (-1, 2, "0"), (5, 2, "100")):
        assert f'<span style="width:{width}%"></span>' in render(source, part=part, whole=whole)


def test_code_is_highlighted_and_escaped(render):
    page = render("{{ x | highlight(3) }}", x="x = '<script>'  # <b>")
    assert 'id="code-3-1"' in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page


def test_a_name_that_a_page_lacks_is_an_error(render):
    with pytest.raises(UndefinedError, match="missing"):
        render("{{ missing }}")
