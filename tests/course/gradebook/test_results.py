import json

import pytest

from minitorch_course.gradebook.results import GRADES, parse_results, read_grades


def test_a_class_is_read_from_its_folder_or_its_file(graded_class, tmp_path):
    file = tmp_path / GRADES
    file.write_text(json.dumps(graded_class), encoding="utf-8")
    results = parse_results(read_grades(tmp_path))
    assert results == parse_results(read_grades(file))
    assert len(results.students) == 40
    assert results.points == 22
    assert results.exercises()["softmax"] == 3
    assert sum(results.exercises().values()) == 22


def test_a_hidden_test_that_a_student_lacks_was_not_run(graded_class):
    graded_class["students"][0]["tests"].pop()
    last = parse_results(graded_class).students[0].outcomes[-1]
    assert (last.status, last.earned, last.test.name) == ("not run", 0, "backward-3")


def test_flags_that_name_others_are_not_the_students_own(graded_class):
    student = parse_results(graded_class).students[6]
    assert student.own_flags == ["softmax calls jax.nn.softmax (line 3)"]
    assert list(student.similar()) == [("s21", 97)]


def test_a_missing_file_says_what_to_give(tmp_path):
    with pytest.raises(FileNotFoundError, match="minitorch course grade"):
        read_grades(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b'"x"', b"{}", b'{"format": 2}', b'{"format": 1}'])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / GRADES).write_bytes(content)
    with pytest.raises(ValueError, match=r"grades\.json"):
        parse_results(read_grades(tmp_path))


def test_a_damaged_student_is_refused(graded_class):
    del graded_class["students"][3]["tests"]
    with pytest.raises(ValueError, match="damaged or incomplete"):
        parse_results(graded_class)
