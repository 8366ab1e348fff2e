import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import scaffold
from minitorch_course.author.session import Session
from minitorch_course.author.source import AuthoringError, read_source
from minitorch_course.author.wrong_answers import WrongAnswer, problems_of_wrong_answer, read_wrong_answers

NAME = "15_sample"
SUMMED = "def centre(x, axis):\n    return x + x.mean(axis=axis, keepdims=True)\n"


@pytest.fixture
def layout(tmp_path):
    layout = CourseLayout(tmp_path)
    scaffold(layout, NAME)
    return layout


class SessionRunner:
    """A runner without a process of its own."""

    def __init__(self, notebook):
        self.session = Session(notebook)

    def grade(self, replaced, changed):
        return {result.name: result for result in self.session.grade(replaced, changed=changed)}

    def check(self, replaced, exercise):
        return list(self.session.check(replaced, exercise))


def read(layout):
    return read_wrong_answers(read_source(layout.source(NAME)), layout.wrong_answers(NAME))


def test_wrong_answers_are_read_with_their_lines(layout):
    answers = read(layout)
    assert [(a.exercise, a.says, a.loses) for a in answers][1] == ("centre", "must be subtracted", ("centre-test",))
    lines = layout.wrong_answers(NAME).read_text("utf-8").splitlines()
    assert [lines[a.line - 1] for a in answers] == ["def centre(x, axis):"] * 4


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('# %% exercise="centre" says="keep it"', '# %% exercise="center" says="keep it"', "no exercise 'center'"),
        (
            'says="keep it" loses=["centre-test"]',
            'says="keep it" loses=["no-such-test"]',
            "no hidden test 'no-such-test'",
        ),
        ('says="keep it" loses=["centre-test"]', 'says="keep it" loses=[]', "must say something and lose something"),
        ('says="keep it" loses=["centre-test"]', 'says="" loses=["centre-test"]', "must say something and lose"),
        ('says="keep it"', "", "a wrong answer begins"),
        ('loses=["centre-test"]\n', 'loses=["centre-test"] points=2\n', "a wrong answer begins"),
        ("    return x - x.mean()\n", "    return x - \n", "not Python: "),
    ],
)
def test_malformed_ones_are_refused_at_their_line(before, after, said, layout):
    path = layout.wrong_answers(NAME)
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    with pytest.raises(AuthoringError, match=said) as raised:
        read(layout)
    assert raised.value.problems[0].startswith(f"{path}:")


def test_fewer_than_four_are_refused(layout):
    path = layout.wrong_answers(NAME)
    path.write_text(path.read_text("utf-8").rpartition("# %%")[0], "utf-8")
    with pytest.raises(AuthoringError, match="'centre' has 3 wrong answers; it needs 4"):
        read(layout)
    path.unlink()
    with pytest.raises(AuthoringError, match="missing: every exercise needs 4"):
        read(layout)


def test_a_wrong_answer_loses_what_it_should_and_gets_its_message(layout):
    runner = SessionRunner(read_source(layout.source(NAME)))

    def problems(says="must be subtracted", loses=("centre-test",), source=SUMMED):
        found = problems_of_wrong_answer(
            WrongAnswer("centre", says, loses, source, layout.wrong_answers(NAME), 7), runner
        )
        start = f"{layout.wrong_answers(NAME)}:7: centre ({says!r}): "
        assert all(problem.startswith(start) for problem in found)
        return [problem.removeprefix(start) for problem in found]

    assert [problem for answer in read(layout) for problem in problems_of_wrong_answer(answer, runner)] == []
    assert problems() == []
    unsaid = problems(says="must be doubled")
    assert [problem.partition("they say")[0] for problem in unsaid] == ["no check says so; ", "no lost test says so; "]
    assert "it should not lose centre-test, and does: The mean is added" in problems(loses=())[0]
    right = "def centre(x, axis):\n    return x - x.mean(axis=axis, keepdims=True)\n"
    assert problems(source=right) == ["all checks pass.", "it should lose centre-test, and passes."]
