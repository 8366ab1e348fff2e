import pytest

from minitorch_course.author.layout import CourseLayout
from minitorch_course.author.scaffold import new
from minitorch_course.author.session import Session
from minitorch_course.author.source import AuthoringError, read_source
from minitorch_course.author.wrong_answers import WrongAnswer, problems_of_wrong_answer, read_wrong_answers

NAME = "15_sample"
SUMMED = "def centre(x, axis):\n    return x + x.mean(axis=axis, keepdims=True)\n"


@pytest.fixture
def places(tmp_path):
    places = CourseLayout(tmp_path)
    new(places, NAME)
    return places


class SessionRunner:
    """A runner without a process of its own."""

    def __init__(self, notebook):
        self.session = Session(notebook)

    def grade(self, replaced):
        return {probed.name: probed for probed in self.session.grade(replaced)}

    def check(self, replaced, exercise):
        return list(self.session.check(replaced, exercise))


def read(places):
    return read_wrong_answers(read_source(places.source(NAME)), places.wrong(NAME))


def test_wrong_answers_are_read_with_their_lines(places):
    planted = read(places)
    assert [(p.exercise, p.says, p.loses) for p in planted][1] == ("centre", "must be subtracted", ("centre-test",))
    lines = places.wrong(NAME).read_text("utf-8").splitlines()
    assert [lines[p.line - 1] for p in planted] == ["def centre(x, axis):"] * 4


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('# %% exercise="centre" says="keep it"', '# %% exercise="center" says="keep it"', "no exercise 'center'"),
        ('says="keep it" loses=["centre-test"]', 'says="keep it" loses=["no-such-test"]', "no probe 'probe'"),
        ('says="keep it" loses=["centre-test"]', 'says="keep it" loses=[]', "must say something and lose something"),
        ('says="keep it" loses=["centre-test"]', 'says="" loses=["centre-test"]', "must say something and lose"),
        ('says="keep it"', "", "a wrong answer begins"),
        ('loses=["centre-test"]\n', 'loses=["centre-test"] points=2\n', "a wrong answer begins"),
        ("    return x - x.mean()\n", "    return x - \n", "not Python: "),
    ],
)
def test_malformed_ones_are_refused_at_their_line(before, after, said, places):
    path = places.wrong(NAME)
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    with pytest.raises(AuthoringError, match=said) as raised:
        read(places)
    assert raised.value.problems[0].startswith(f"{path}:")


def test_fewer_than_four_are_refused(places):
    path = places.wrong(NAME)
    path.write_text(path.read_text("utf-8").rpartition("# %%")[0], "utf-8")
    with pytest.raises(AuthoringError, match="'centre' has 3 planted wrong answers; it needs 4"):
        read(places)
    path.unlink()
    with pytest.raises(AuthoringError, match="missing: every exercise needs 4"):
        read(places)


def test_what_a_wrong_answer_should_lose_and_hear(places):
    runner = SessionRunner(read_source(places.source(NAME)))

    def faults(says="must be subtracted", loses=("centre-test",), source=SUMMED):
        found = problems_of_wrong_answer(WrongAnswer("centre", says, loses, source, places.wrong(NAME), 7), runner)
        start = f"{places.wrong(NAME)}:7: centre ({says!r}): "
        assert all(fault.startswith(start) for fault in found)
        return [fault.removeprefix(start) for fault in found]

    assert [fault for planted in read(places) for fault in problems_of_wrong_answer(planted, runner)] == []
    assert faults() == []
    unsaid = faults(says="must be doubled")
    assert [fault.partition("they say")[0] for fault in unsaid] == ["no check says so; ", "no lost probe says so; "]
    assert "it should not lose centre-test, and does: The mean is added" in faults(loses=())[0]
    right = "def centre(x, axis):\n    return x - x.mean(axis=axis, keepdims=True)\n"
    assert faults(source=right) == ["all checks pass.", "it should lose centre-test, and passes."]
