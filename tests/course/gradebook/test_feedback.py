import re
from html.parser import HTMLParser
from typing import Any

import pytest

from minitorch_course.gradebook.feedback import write_pages
from minitorch_course.gradebook.html import CODE, PARAGRAPH
from minitorch_course.gradebook.sanitize import file_name

VOID = {"meta", "br", "rect", "line"}
INJECTED = "</style></pre><script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover='alert(1)'"


class Page(HTMLParser):
    """The elements, attributes and text of a page; each element that is opened must be closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.names, self.attributes, self.text = [], set(), [], ""
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.names.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def read(out, student):
    return (out / "feedback" / f"{file_name(student)}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages(class_of_40, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages")
    write_pages(class_of_40, out)
    return out


def test_there_is_a_page_for_every_student_and_one_for_the_class(class_of_40, pages):
    names = {f"{student['student']}.html" for student in class_of_40["students"]}
    assert {path.name for path in (pages / "feedback").iterdir()} == names
    assert (pages / "overview.html").exists()
    for path in pages.rglob("*.html"):
        Page(path.read_text(encoding="utf-8"))


def test_a_page_shows_code_status_shapes_message_and_hint(class_of_40, pages):
    student = class_of_40["students"][6]
    page = Page(read(pages, "s07"))
    lost = [outcome for outcome in student["tests"] if outcome["status"] == "wrong"]
    assert lost
    assert f"{student['points']} / 22" in page.text
    for outcome in lost:
        assert f"{outcome['name']} not right yet" in page.text
        assert outcome["message"] in page.text
    assert "givenfloat32 (5, 3)expectedfloat32 (3, 5)" in page.text
    assert "Try softmax by hand" in page.text
    assert "Try backward by hand" not in page.text
    for code in student["exercises"].values():
        assert code.strip() in page.text
    assert "The submission holds no code for this exercise." in page.text  # vmap, which has no points either


def test_added_cells_are_shown(graded_class, tmp_path):
    graded_class["students"][0]["added"] = [f"helper = {INJECTED!r}", "second = 2"]
    write_pages(graded_class, tmp_path)
    page = Page(read(tmp_path, graded_class["students"][0]["student"]))
    for text in ("Added cell 1", f"helper = {INJECTED!r}", "second = 2"):
        assert text in page.text
    assert "script" not in page.names


def test_every_status_has_words(graded_class, tmp_path):
    outcomes = graded_class["students"][0]["tests"]
    for outcome, status in zip(outcomes, ("passed", "wrong", "error", "timeout", "not run"), strict=False):
        outcome["status"] = status
    outcomes[2]["error"] = "`x` has no value yet."
    write_pages(graded_class, tmp_path)
    text = Page(read(tmp_path, "s01")).text
    for words in ("passed", "not right yet", "stopped with an error", "took too long", "not run", "`x` has no value"):
        assert words in text


def test_a_failed_student_reads_why(pages):
    text = Page(read(pages, "s13")).text
    assert "Not graded. The archive holds no notebook" in text
    assert "0 / 22" in text


def test_a_submission_that_does_not_run_gets_no_hints(graded_class, tmp_path):
    graded_class["students"][0]["tests"][0] |= {"status": "not run", "message": "The notebook was stopped."}
    write_pages(graded_class, tmp_path)
    assert "Try" not in Page(read(tmp_path, "s13")).text
    assert "Try topological_order" not in Page(read(tmp_path, "s01")).text


def test_a_late_submission_is_marked(pages):
    assert "late" in Page(read(pages, "s11")).text
    assert "late" not in Page(read(pages, "s12")).text


def test_a_page_does_not_name_other_students(class_of_40, pages):
    names = {student["student"] for student in class_of_40["students"]}
    for name in names:
        assert set(re.findall(r"\bs\d\d\b", Page(read(pages, name)).text)) - {name} <= {"s35"}  # in s34's own manifest
    assert "softmax calls jax.nn.softmax (line 3)" in read(pages, "s07")
    assert "same answers" not in read(pages, "s07")


def test_a_page_needs_no_other_file(pages):
    for path in (pages / "overview.html", pages / "feedback" / "s07.html"):
        source = path.read_text(encoding="utf-8")
        page = Page(source)
        assert not {"script", "link", "img", "iframe", "object", "form"} & page.names
        assert "url(" not in source
        assert "@import" not in source
        assert "prefers-color-scheme: dark" in source
        assert "@media print" in source
        assert "default-src 'none'" in dict(page.attributes)["content"] + source


def test_the_same_class_makes_the_same_bytes(graded_class, tmp_path):
    for out in (tmp_path / "a", tmp_path / "b"):
        write_pages(graded_class, out)
        write_pages(graded_class, out)  # Over what is there.
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 41
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


@pytest.fixture
def hostile(graded_class):
    """A class with attacks in all that the first student, and the second, who failed, can write."""
    graded_class["students"][1] |= {"status": "failed", "reason": INJECTED}
    student = graded_class["students"][0]
    student |= {"student": f"../\u202e$title ${{x}} {INJECTED}", "reason": INJECTED}
    student |= {"flags": [INJECTED, f"same answers as {INJECTED} (99 %)"], "submitted": INJECTED}
    for outcome in student["tests"]:
        outcome |= {"status": "error", "message": INJECTED, "error": "\x1b" + INJECTED * 10_000}
        outcome |= {"given": INJECTED, "expected": INJECTED}
    student["exercises"] = {name: f'"""{INJECTED}\u2066\ud800\x00' * 5000 for name in student["exercises"]}
    student["exercises"][INJECTED] = INJECTED
    return graded_class


def test_hostile_text_is_shown_and_not_executed(hostile, tmp_path):
    write_pages(hostile, tmp_path)
    for path in (tmp_path / "overview.html", *(tmp_path / "feedback").iterdir()):
        page = Page(path.read_text(encoding="utf-8"))
        assert not {"script", "img"} & page.names
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert not [value for name, value in page.attributes if name == "href" and not re.match("#|feedback/", value)]
    page = Page(read(tmp_path, hostile["students"][0]["student"]))
    assert "<script>alert(1)</script>" in page.text
    assert "${x}" in page.text
    assert "[U+202E]" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", page.text)


def poisoned(value, key=None):
    """A `grades.json` with an attack at the end of every text and every key that is not part of the format."""
    if isinstance(value, dict):
        free = key in ("versions", "exercises")
        return {f"{k}{INJECTED}" if free else k: poisoned(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, key) for v in value]
    if isinstance(value, str) and value.startswith("same answers as "):
        return f"same answers as {INJECTED} (97 %)"
    return f"{value}{INJECTED}" if isinstance(value, str) and key != "status" else value


@pytest.mark.parametrize("poisoned_status", [False, True])
def test_an_attack_in_any_field_adds_no_element_and_no_attribute(graded_class, pages, tmp_path, poisoned_status):
    content: Any = poisoned(graded_class)
    assert str(content).count("onerror") > 2000
    content["seed"] = INJECTED
    if poisoned_status:
        for outcome in content["students"][0]["tests"]:
            outcome["status"] += INJECTED
        content["students"][1]["status"] += INJECTED
    clean = [Page(path.read_text(encoding="utf-8")) for path in pages.rglob("*.html")]
    elements = set().union(*(page.names for page in clean))
    attributes = {name for page in clean for name, _ in page.attributes}
    write_pages(content, tmp_path)
    for path in tmp_path.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        assert page.names <= elements
        assert {name for name, _ in page.attributes} <= attributes
        assert {value for name, value in page.attributes if name == "style"} <= {
            f"width:{100 * n / of:.3g}%" for of in range(1, 39) for n in range(of + 1)
        }
    assert len(list(tmp_path.rglob("*.html"))) == 41


def test_hostile_text_is_bounded(hostile, tmp_path):
    write_pages(hostile, tmp_path)
    page = read(tmp_path, hostile["students"][0]["student"])
    assert len(page) < 15 * 8 * PARAGRAPH + 8 * 30 * CODE  # what 15 hidden tests and 8 exercises can take, coloured
    assert "characters more]" in page
    assert len((tmp_path / "overview.html").read_text(encoding="utf-8")) < 200_000


def test_pages_stay_in_their_folder(hostile, tmp_path):
    write_pages(hostile, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"feedback", "overview.html"}


def test_a_file_that_does_not_hold_grades_is_refused(tmp_path):
    with pytest.raises(ValueError, match="format 1"):
        write_pages({"students": []}, tmp_path)
    assert not list(tmp_path.iterdir())
