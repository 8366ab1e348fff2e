"""The class list: nobody is missing, and nobody gets another's work."""

from datetime import UTC, datetime

import pytest

from minitorch_course.grading.collect import collect, find_submissions
from minitorch_course.grading.roster import match_roster, read_roster

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section
    Points Possible,,,,
"Doe, Jane",12345,A1,jdoe,1
"Müller, Zoë",12346,A2,zmueller,1
"Doe, John",12347,A3,jodoe,1
"""
MOODLE = (
    "Identifier;Full name;ID number;Email address\r\n"
    "Participant 12345;Jane Doe;A1;j@x.org\r\nParticipant 12346;Zoë Müller;;z@x.org\r\n"
)
GITHUB = 'identifier,github_username,github_id,name\n"A1","janedoe",1,""\n"A2","",,""\n'


def roster(tmp_path, text):
    (tmp_path / "class.csv").write_text(text, "utf-8")
    return read_roster(tmp_path / "class.csv")


def matched(tmp_path, text, *names):
    folder = tmp_path / "02-submissions"
    folder.mkdir()
    for name in names:
        if "." in name:
            (folder / name).write_bytes(b"{}")
        else:
            (folder / name).mkdir()
    found = match_roster(find_submissions(folder), roster(tmp_path, text))
    return {student: [path.name for path in paths] for student, paths in found.entries.items()}, found.flags


CLASSES = [  # roster, entries, students with the number of their entries
    (CANVAS, ["doejane_12345_9_x.ipynb", "doejohn_LATE_12347_8_x.zip"], {"jdoe": 1, "zmueller": 0, "jodoe": 1}),
    (CANVAS, ["JDOE.zip", "A2.ipynb", "Doe, John.zip"], {"jdoe": 1, "zmueller": 1, "jodoe": 1}),
    (CANVAS, ["müllerzoë_12346_9_x.zip"], {"jdoe": 0, "zmueller": 1, "jodoe": 0}),
    (CANVAS, ["mu\u0308llerzoe\u0308_99_9_x.zip"], {"jdoe": 0, "zmueller": 1, "jodoe": 0}),
    (MOODLE, ["Jane Doe_12345_assignsubmission_file_", "z@x.org"], {"A1": 1, "z@x.org": 1}),
    (GITHUB, ["02-janedoe"], {"A1": 1, "A2": 0}),
    ("\ufefflogin\ns01\ns02\n\n", ["s02.zip"], {"s01": 0, "s02": 1}),
]


@pytest.mark.parametrize(("text", "names", "expected"), CLASSES)
def test_entries_get_the_names_of_the_roster(tmp_path, text, names, expected):
    entries, flags = matched(tmp_path, text, *names)
    assert {student: len(paths) for student, paths in entries.items()} == expected
    assert not flags


def test_who_submitted_nothing_has_a_reason():
    assert collect("s01", []).reason == "Nothing was submitted."


def test_a_stranger_is_a_row_with_a_flag(tmp_path):
    entries, flags = matched(tmp_path, "login\ns01\n", "s01.zip", "s9.zip")
    assert (list(entries), flags) == (["s01", "s9"], {"s9": ["not in the roster"]})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("login,name\ns01,Jane Doe\ns02,Jane Doe\n", "Jane Doe.zip"),
        ("login,id\n12345,1\ndoejane,2\n", "doejane_12345_9_x.zip"),
    ],
    ids=["two of one name", "number and name of two students"],
)
def test_work_that_could_be_two_students_is_nobodys(tmp_path, text, name):
    entries, flags = matched(tmp_path, text, name)
    *_, last = entries
    assert (len(entries), flags) == (3, {last: ["2 students of the roster have this name"]})


def test_extensions_are_times(tmp_path):
    [one, other] = roster(tmp_path, "login,extension\ns01,2026-12-02T18:00+01:00\ns02,\n")
    assert (one.due, other.due) == (datetime(2026, 12, 2, 17, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column that identifies students"),
        ("points\n1\n", "has no column that identifies students"),
        ("login\ns01\ns01\n", "row 3: s01 is there twice"),
        ("login,due\ns01,tomorrow\n", "row 2: 'tomorrow' is not a time: write it as"),
    ],
)
def test_a_file_that_is_not_a_roster_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        roster(tmp_path, text)


def test_another_encoding_is_refused(tmp_path):
    (tmp_path / "class.csv").write_bytes("login\nmüller\n".encode("latin-1"))
    with pytest.raises(ValueError, match="save it as CSV in UTF-8"):
        read_roster(tmp_path / "class.csv")
