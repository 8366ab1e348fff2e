import re
import shutil
from html.parser import HTMLParser

import pytest

from minitorch.cli.tour.report import Sample, write_report

pytestmark = pytest.mark.costly

SAMPLES = [
    Sample("Before", "def", " <b>&\n"),
    Sample("After", "def", " f(x):\n    return x"),
    Sample("After", "class", " A"),
]
COMMANDS = {"To see it": "minitorch info --run 'my run'", "More": "minitorch tour"}
VOID = {"meta", "br", "circle", "polyline", "hr"}


class Page(HTMLParser):
    """The text of a page by element; asserts that every element is closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.text, self.links, self.names = [], {}, [], []
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.names.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)
            self.text.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in self.open:
            self.text[tag][-1] += data


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def page(run):
    return Page(write_report(run, SAMPLES, COMMANDS, 83.0, stopped_at=6).read_text(encoding="utf-8"))


def test_the_page_loads_no_other_files(page, run):
    assert not {"script", "link", "img", "iframe"} & set(page.names)
    assert set(page.links) == {"#datasheet"}
    style = page.text["style"][0]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "$" not in (run / "report.html").read_text(encoding="utf-8").replace('content: "$ "', "")


def test_it_shows_numbers_curve_samples_card_and_what_to_try(page):
    numbers = dict(zip(page.text["dt"], page.text["dd"], strict=True))
    assert numbers["tokens read in training"] == f"{12 * 4 * 16:,}"
    assert numbers["from the start to this page"] == "83 s"
    assert page.names.count("svg") == 1
    assert page.text["figcaption"] == [
        "Loss over the training steps. After step 6 the run was stopped on purpose, and resumed from its checkpoint."
    ]
    assert page.text["pre"] == [s.prompt + s.text for s in SAMPLES] + list(COMMANDS.values())
    assert page.text["h3"][:2] == ["Before", "After"]
    card, datasheet = page.text["details"]
    assert "Intended use" in card
    assert "validation loss, nats per token" in card
    assert "SHA-256" in datasheet
    assert "Motivation" in datasheet
    assert "table" in page.names


def test_the_page_of_a_run_that_was_never_stopped_does_not_mention_it(run):
    text = write_report(run, SAMPLES, COMMANDS, 200.0, stopped_at=None).read_text(encoding="utf-8")
    assert "resumed" not in text
    assert 'class="stop"' not in text
    assert re.search(r"<dd>3\.3 min</dd>", text)
