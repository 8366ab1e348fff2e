import re

import pytest

from minitorch_course.gradebook.overview import histogram, overview_page
from minitorch_course.gradebook.results import parse_results


def page(content):
    return overview_page(parse_results(content))


def text(source):
    return re.sub(r"\s+", " ", re.sub("<style>.*?</style>|<[^>]*>", " ", source, flags=re.DOTALL))


def test_the_class_is_counted(graded_class):
    graded = [s["points"] for s in graded_class["students"] if s["status"] == "graded"]
    shown = text(page(graded_class))
    assert "submissions 40" in shown
    assert "not graded 2" in shown
    assert "late 3" in shown
    assert f"mean of 22 points {sum(graded) / 38:.1f}" in shown
    assert f"full marks {graded.count(22)}" in shown


def test_failures_are_listed_with_reasons(graded_class):
    shown = text(page(graded_class))
    assert "s13 The archive holds no notebook" in shown
    assert "s30 The notebook cannot be read" in shown


def test_every_student_is_linked(graded_class):
    source = page(graded_class)
    for student in graded_class["students"]:
        assert f'<a href="feedback/{student["student"]}.html">' in source


def test_the_hardest_test_comes_first_with_its_commonest_message(graded_class):
    for student in graded_class["students"][:35]:
        if student["status"] == "graded":
            student["tests"][8] |= {"status": "wrong", "earned": 0, "message": "Transposed."}
    hardest = text(page(graded_class)).split("The hardest hidden tests")[1].split("Similar submissions")[0]
    assert re.match(r" matmul-rule-1 matmul_rule, 2 points [0-5] of 38 passed 33 × Transposed\.", hardest)


def test_a_hidden_test_that_all_passed_is_not_hard(graded_class):
    for student in graded_class["students"]:
        student["tests"] = [outcome | {"status": "passed"} for outcome in student["tests"]]
    hardest = text(page(graded_class)).split("The hardest hidden tests")[1].split("Similar submissions")[0]
    assert hardest.strip() == "Nobody lost a point."


def test_a_similar_pair_is_shown_once(graded_class):
    assert text(page(graded_class)).count("s07 and s21 97 %") == 1
    for student in graded_class["students"]:
        student["flags"] = []
    assert "No two submissions are nearly the same" in text(page(graded_class))


def test_other_flags_are_listed(graded_class):
    shown = text(page(graded_class)).split("Worth a look")[1]
    assert "s07 softmax calls jax.nn.softmax (line 3)" in shown
    assert "s34" in shown
    assert "same answers" not in shown


def test_it_says_whether_there_was_a_sandbox(graded_class):
    assert "ran in a sandbox (bubblewrap)" in text(page(graded_class))
    assert "Graded without a sandbox" in text(page(graded_class | {"sandbox": None}))


def test_an_empty_class_has_a_page(graded_class):
    shown = text(page(graded_class | {"students": []}))
    assert "submissions 0" in shown
    assert "median –" in shown


@pytest.mark.parametrize(("possible", "labels"), [(22, 12), (30, 16), (31, 16), (32, 7), (0, 1), (7, 8), (100, 11)])
def test_the_histogram_has_few_bars_that_count_every_student(possible, labels):
    points = [p for p in range(possible + 1) for _ in range(2)]
    svg = histogram(points, possible)
    assert svg.count('class="edge') == labels <= 16
    assert sum(int(n) for n in re.findall(r'<text x="[\d.]+" y="[\d.]+">(\d+)</text>', svg)) == len(points)


def test_full_marks_have_a_bar_of_their_own():
    assert ">22</text>" in histogram([22], 22)
    assert ">20–21</text>" in histogram([22], 22)
