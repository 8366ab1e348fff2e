import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitorch_course.gradebook.sanitize import file_name, one_line, visible_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x00", "a[U+001B][31mb[U+0000]"),
        ("x = 1 # \u202e2 = y", "x = 1 # [U+202E]2 = y"),
        ("\u2066hidden\u2069", "[U+2066]hidden[U+2069]"),
        ("lone \ud800", "lone [U+D800]"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("Ωμέγα 数学 عربي", "Ωμέγα 数学 عربي"),
    ],
)
def test_invisible_characters_are_spelled_out(text, shown):
    assert visible_text(text, 100) == shown


def test_a_long_text_is_cut_and_ends_with_the_missing_number():
    assert visible_text("a" * 1_000_000, 5) == "aaaaa [and 999,995 characters more]"
    assert visible_text("aaaaa", 5) == "aaaaa"


@given(st.text(st.characters(), max_size=30))
def test_any_text_can_be_encoded(text):
    shown = visible_text(text, 100)
    shown.encode("utf-8")
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in shown if c not in "\n\t")


@pytest.mark.parametrize("name", ["s01", "first.last", "a_b-c", "7"])
def test_an_ordinary_name_is_the_file_name(name):
    assert file_name(name) == name


HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "C:x",
    "con",
    "nul.txt",
    "com1",
    "S01",
    "s01 ",
    "s01.",
    "-rf",
    "a\x00b",
    "x" * 300,
    "\ud800",
    "Ωμέγα",
    "a:b",
    "*?",
    file_name("S01"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_in_the_folder_on_every_system(name):
    safe = file_name(name)
    assert safe != name
    assert safe.startswith("student-")
    assert len(safe) < 80
    assert set(safe) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_no_two_students_share_a_file():
    names = [*HOSTILE, "s01", "first.last", *(file_name(name) for name in HOSTILE)]
    assert len({file_name(name) for name in names}) == len(set(names))


@pytest.mark.parametrize(
    "name", ["a\x1b[2Jb", "a\nnot graded: b", "a\rb", "a\x9b31m", "a\u2028b", "a\u202eb", "a\x07", "\x85"]
)
def test_a_line_for_a_terminal_stays_one_line_without_commands(name):
    line = one_line(name)
    assert line.isprintable()
    assert len(line.splitlines()) == 1 if line else True
