import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import pytest

from minitorch_course.gradebook.export import TARGETS, export

TITLE = "Autodiff: the tape, its rules, and the walk backwards"


@pytest.fixture
def written(tmp_path):
    """`written(content, to, ending)` is what is exported, as text."""

    def write(content, to, ending):
        data = export(content, to, tmp_path / "new" / f"file{ending}").read_bytes()
        assert data.startswith(b"\xef\xbb\xbf") == (to == "csv")  # Excel needs the mark, importers do not expect it.
        return data.decode("utf-8-sig")

    return write


def rows(text):
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def names(content):
    return [student["student"] for student in content["students"]]


def test_the_table_has_a_row_for_each_student_and_a_column_for_each_exercise(graded_class, written):
    header, *table = rows(written(graded_class, "csv", ".csv"))
    assert header[:4] == ["student", "status", "points", "possible"]
    assert header[-1] == "backward"
    assert [row[0] for row in table] == names(graded_class)
    for row, student in zip(table, graded_class["students"], strict=True):
        if student["status"] == "graded":
            assert sum(map(int, row[-6:])) == int(row[2]) == student["points"]
    s13, s11, s07 = (dict(zip(header, table[i], strict=True)) for i in (12, 10, 6))
    assert s13["status"] == "failed"
    assert "holds no notebook" in s13["reason"]
    assert s11["late"] == "yes"
    assert s07["flags"].startswith("same answers as s21 (97 %) | softmax calls")
    assert s07["sandbox"] == "bubblewrap"


def test_the_table_says_that_there_was_no_sandbox(graded_class, written):
    header, row, *_ = rows(written(graded_class | {"sandbox": None}, "csv", ".csv"))
    assert row[header.index("sandbox")] == "none"


def test_tables_follow_rfc_4180(graded_class, written):
    graded_class["students"][0]["reason"] = 'He said "no",\nthen left'
    text = written(graded_class, "csv", ".csv")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == 41
    assert '"He said ""no"",\nthen left"' in text
    assert len({len(row) for row in rows(text)}) == 1


FORMULAS = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", "\r\n=1", "  =1", "＝1", "a;=1", "a; +1"]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("to", ["csv", "canvas", "moodle"])
def test_a_formula_is_only_text(formula, to, graded_class, written):
    student = graded_class["students"][0]
    student["tests"][0] |= {"name": formula, "status": "wrong"}
    student |= {"student": formula, "status": "failed", "reason": formula, "submitted": formula, "flags": [formula]}
    for row in rows(written(graded_class, to, ".csv")):
        for cell in (part.strip() for field in row for part in field.split(";")):
            assert not cell.startswith(("=", "+", "-", "@", "＝"))


def expected_points(content):
    return [str(student["points"]) if student["status"] == "graded" else "" for student in content["students"]]


def test_what_was_not_graded_is_not_a_zero_in_any_table(graded_class, written):
    expected = expected_points(graded_class)
    assert expected.count("") == 2
    for to, column in (("csv", 2), ("canvas", 5), ("moodle", 1)):
        assert [row[column] for row in rows(written(graded_class, to, ".csv"))[-40:]] == expected
    scores = [result.findtext("score") for result in ElementTree.fromstring(written(graded_class, "moodle", ".xml"))]
    assert scores == [points or None for points in expected]


def test_canvas_finds_header_points_and_students(graded_class, written):
    header, possible, *table = rows(written(graded_class, "canvas", ".csv"))
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", TITLE]
    assert "Points Possible" in possible[0]
    assert possible[-1] == "22"
    assert [row[3] for row in table] == names(graded_class)
    assert [row[-1] for row in table] == expected_points(graded_class)


def test_a_name_cannot_set_the_points_in_canvas(graded_class, written):
    graded_class["students"][0]["student"] = "Points\n Possible"
    table = rows(written(graded_class, "canvas", ".csv"))
    assert [row[0] for row in table if "Points Possible" in row[0]] == [table[1][0]]


def test_an_address_is_exported_whole(graded_class, written):
    address = "a" * 100 + "@university.example"
    graded_class["students"][0]["student"] = address
    assert rows(written(graded_class, "canvas", ".csv"))[2][3] == address


def test_moodle_gets_grades_and_feedback(graded_class, written):
    header, *table = rows(written(graded_class, "moodle", ".csv"))
    assert header == ["ID number", TITLE, f"Feedback: {TITLE}"]
    s01, s13 = table[0], table[12]
    assert s01[:2] == ["s01", str(graded_class["students"][0]["points"])]
    lost = [outcome["name"] for outcome in graded_class["students"][0]["tests"] if outcome["status"] != "passed"]
    assert lost
    assert all(f"{name}: " in s01[2] for name in lost)
    assert s13[2] == "Not graded: The archive holds no notebook: 02_autodiff.ipynb was expected."


def test_moodle_gets_xml_if_the_file_ends_so(graded_class, written):
    root = ElementTree.fromstring(written(graded_class, "moodle", ".xml"))
    results = [{element.tag: element.text for element in result} for result in root]
    assert root.tag == "results"
    assert len(results) == 40
    assert results[0].keys() == {"assignment", "student", "score", "feedback"}
    assert results[0]["assignment"] == "02_autodiff"
    assert results[0]["student"] == "s01"
    assert float(results[0]["score"]) == graded_class["students"][0]["points"]


def test_feedback_for_moodle_is_escaped(graded_class, written):
    graded_class["students"][0]["tests"][0] |= {"status": "wrong", "message": "<script>&"}
    assert "&lt;script&gt;&amp;" in rows(written(graded_class, "moodle", ".csv"))[1][2]


def test_gradescope_gets_a_file_for_each_student(graded_class, tmp_path):
    export(graded_class, "gradescope", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names(graded_class))
    for student in graded_class["students"]:
        results = json.loads((tmp_path / student["student"] / "results.json").read_text(encoding="utf-8"))
        assert results.keys() == {"score", "output", "tests"}
        assert results["score"] == student["points"] == sum(test["score"] for test in results["tests"])
        assert sum(test["max_score"] for test in results["tests"]) == 22
        for test, outcome in zip(results["tests"], student["tests"], strict=True):
            assert (test["status"] == "passed") == (outcome["status"] == "passed") == (not test["output"])


def test_junit_has_a_suite_for_each_student_with_right_counts(graded_class, written):
    root = ElementTree.fromstring(written(graded_class, "junit", ".xml"))
    assert [suite.get("name") for suite in root] == names(graded_class)
    for suite, student in zip(root, graded_class["students"], strict=True):
        statuses = [outcome["status"] for outcome in student["tests"]]
        failed = student["status"] == "failed"
        assert len(suite) == int(suite.get("tests")) == 15 + failed
        assert len(suite.findall("*/failure")) == int(suite.get("failures")) == statuses.count("wrong")
        errors = statuses.count("error") + statuses.count("timeout") + failed
        assert len(suite.findall("*/error")) == int(suite.get("errors")) == errors
        assert len(suite.findall("*/skipped")) == int(suite.get("skipped")) == statuses.count("not run")
    assert root[12][0].get("name") == "submission"
    assert "no notebook" in root[12][0][0].get("message")


@pytest.mark.parametrize(("to", "ending"), [("moodle", ".csv"), ("moodle", ".xml"), ("junit", ".xml")])
def test_feedback_names_no_other_student(to, ending, graded_class, written):
    assert "same answers" not in written(graded_class, to, ending)


def test_a_file_for_gradescope_names_no_other_student(graded_class, tmp_path):
    export(graded_class, "gradescope", tmp_path)
    text = (tmp_path / "s07" / "results.json").read_text(encoding="utf-8")
    assert "softmax calls" in text
    assert "s21" not in text


@pytest.mark.parametrize(("to", "ending"), [("csv", ".csv"), ("junit", ".xml"), ("moodle", ".xml"), ("canvas", ".csv")])
def test_files_with_hostile_text_are_well_formed(to, ending, graded_class, written):
    hostile = ']]>\x00\ud800\u202e</result><b a="1">\ufffe'
    student = graded_class["students"][0]
    student |= {"student": hostile, "status": "failed", "reason": hostile, "flags": [hostile], "submitted": hostile}
    for outcome in student["tests"]:
        outcome |= {"status": "error", "message": hostile * 10_000, "error": hostile}
    text = written(graded_class, to, ending)
    (rows if ending == ".csv" else ElementTree.fromstring)(text)
    assert "[U+0000]" in text
    assert len(text) < 500_000


def test_a_hostile_name_stays_in_its_folder(graded_class, tmp_path):
    graded_class["students"][0]["student"] = "../../up"
    export(graded_class, "gradescope", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(list((tmp_path / "out").iterdir())) == 40


@pytest.mark.parametrize("to", TARGETS)
def test_the_same_class_makes_the_same_bytes(to, graded_class, tmp_path):
    files = []
    for name in ("a", "b"):
        export(graded_class, to, tmp_path / name)
        files.append(
            {
                p.relative_to(tmp_path / name): p.read_bytes()
                for p in [tmp_path / name, *(tmp_path / name).rglob("*.json")]
                if p.is_file()
            }
        )
    assert files[0] == files[1] != {}


def test_an_unknown_target_lists_the_known(graded_class, tmp_path):
    with pytest.raises(ValueError, match="'blackboard': choose one of csv, junit, canvas, moodle, gradescope"):
        export(graded_class, "blackboard", tmp_path / "x")
