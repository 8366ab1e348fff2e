import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.source import read_source
from minitorch_course.author.wrong_answers import read_wrong_answers


def test_a_new_notebook_is_complete(tmp_path):
    layout = CourseLayout(tmp_path)
    assert scaffold(layout, "15_fine_tuning") == [
        layout.source("15_fine_tuning"),
        layout.wrong_answers("15_fine_tuning"),
    ]
    notebook = read_source(layout.source("15_fine_tuning"))
    assert notebook.title == "Fine tuning"
    assert len(read_wrong_answers(notebook, layout.wrong_answers("15_fine_tuning"))) == 4


@pytest.mark.parametrize("name", ["15", "fine_tuning", "15-fine", "15_Fine", "../15_x", "15_", "1_x", "15_x.py"])
def test_a_name_is_a_number_and_a_topic(name, tmp_path):
    with pytest.raises(ValueError, match="give two digits and a topic, such as 15_fine_tuning"):
        scaffold(CourseLayout(tmp_path), name)


def test_a_number_that_is_taken_is_refused(tmp_path):
    scaffold(CourseLayout(tmp_path), "15_fine_tuning")
    with pytest.raises(ValueError, match="The number 15 is taken by 15_fine_tuning"):
        scaffold(CourseLayout(tmp_path), "15_other")
