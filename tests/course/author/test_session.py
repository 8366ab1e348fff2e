import os

import pytest

from minitorch_course.author.session import Session
from minitorch_course.author.source import read_source

SOURCE = """# %% [markdown]
# # Small

# %% name="set-up"
from minitorch_course import check, inputs, report, setup

setup()

# %% name="double" tags=["exercise"]
def double(x):
    # BEGIN SOLUTION twice x
    return 2 * x
    # END SOLUTION

# %% name="double-check" tags=["check"] exercise="double"
check("a number", lambda: double(3.0), 6.0, mistakes={"It is tripled.": lambda: 9.0})

# %% name="double-test" tags=["hidden-test"] exercise="double" points=2 hint="Add it to itself."
value = inputs.normal(4)
report(double(value), mistakes={"It is tripled.": lambda: 3 * value})
report(double(inputs.scalar()))

# %% name="four" tags=["exercise"]
def four(x):
    # BEGIN SOLUTION double it twice
    return double(double(x))
    # END SOLUTION

# %% name="four-check" tags=["check"] exercise="four"
check("another number", lambda: four(1.5), 6.0)

# %% name="four-test" tags=["hidden-test"] exercise="four" points=1 hint="Double it twice."
report(four(inputs.normal(2, 2)))

# %% name="after" tags=["demo"]
raise RuntimeError("demos are not run")
"""
TRIPLE = "def double(x):\n    return 3 * x\n"


@pytest.fixture
def session(tmp_path):
    return session_of(SOURCE, tmp_path)


def session_of(text, tmp_path):
    path = tmp_path / "16_small.py"
    path.write_text(text, "utf-8")
    return Session(read_source(path))


def statuses(session, replaced, **options):
    return {result.name: result.status for result in session.grade(replaced, **options)}


def test_the_reference_passes_whatever_is_drawn(session):
    for seed in (0, 1, 2**31):
        assert statuses(session, {}, seed=seed) == {"double-test": "passed", "four-test": "passed"}


def test_a_wrong_answer_loses_its_tests_and_those_that_build_on_it(session):
    double, four = session.grade({"double": TRIPLE})
    assert (double.status, double.message, double.points, double.exercise) == ("wrong", "It is tripled.", 2, "double")
    assert (four.status, four.exercise) == ("wrong", "four")
    assert four.message


def test_tests_before_the_changed_exercise_are_left_out(session):
    replaced = {"four": "def four(x):\n    return x\n"}
    assert statuses(session, replaced, changed="four") == {"four-test": "wrong"}
    assert statuses(session, {"double": TRIPLE}, changed="double") == {"double-test": "wrong", "four-test": "wrong"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def double(x):\n    raise NotImplementedError('twice x')", "Not written yet: twice x"),
        ("def double(x):\n    return missing", "missing"),
        ("def double(x:\n", "double"),
        ("", "double"),
        ("raise SystemExit", "double"),
    ],
)
def test_an_error_loses_points_with_a_reason_and_the_rest_goes_on(code, said, session):
    results = list(session.grade({"double": code}))
    assert [result.status for result in results] == ["error", "error"]
    assert said in results[0].message


def test_values_before_an_error_are_judged_first(session):
    code = "calls = []\ndef double(x):\n    calls.append(x)\n    return 3 * x if len(calls) == 1 else calls[9]\n"
    assert next(iter(session.grade({"double": code}))).message == "It is tripled."


def test_each_pass_has_a_fresh_namespace(session):
    list(session.grade({"double": "def double(x):\n    return 2 * x\nleft_over = 1\n"}))
    code = "def double(x):\n    return 3 * x if 'left_over' in globals() else 2 * x\n"
    assert set(statuses(session, {"double": code}).values()) == {"passed"}


def test_a_missing_or_extra_value_loses_points(session):
    code = "from minitorch_course import report\ndef double(x):\n    report(x)\n    return 2 * x\n"
    assert statuses(session, {"double": code})["double-test"] == "wrong"
    code = "def double(x):\n    globals().update(report=lambda *a, **k: None)\n    return 2 * x\n"
    assert next(iter(session.grade({"double": code}))).message == "Values reported: 1; expected: 2."


def test_checks_say_what_they_say_in_a_notebook(session):
    wrong, *more = session.check({"double": TRIPLE}, "double")
    assert (wrong.exercise, wrong.case, wrong.passed, wrong.message) == ("double", "a number", False, "It is tripled.")
    assert more == []
    assert [(c.exercise, c.passed) for c in session.check({})] == [("double", True), ("four", True)]


def test_nothing_is_printed_and_no_warning_is_shown(session, capsys):
    noisy = "import warnings\nprint('loud')\nwarnings.warn('beware')\ndef double(x):\n    print(x)\n    return 2 * x\n"
    assert set(statuses(session, {"double": noisy}).values()) == {"passed"}
    list(session.check({"double": noisy}))
    assert capsys.readouterr() == ("", "")


def test_the_environment_is_restored(session, monkeypatch):
    monkeypatch.setenv("MINITORCH_SEED", "7")
    monkeypatch.delenv("MINITORCH_REPORT", raising=False)
    list(session.grade({}, seed=3))
    assert (os.environ["MINITORCH_SEED"], os.environ.get("MINITORCH_REPORT")) == ("7", None)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "from minitorch_course import check, inputs, report, setup",
            "from minitorch_course import chek, setup",
            "the cell 'set-up' fails",
        ),
        (
            "report(four(inputs.normal(2, 2)))",
            "if four(0):\n    report(1)",
            "the hidden test 'four-test' reports nothing",
        ),
        ("report(four(inputs.normal(2, 2)))", "report(four(missing))", "the cell 'four-test' fails: NameError"),
    ],
)
def test_a_reference_that_fails_is_the_authors_fault(before, after, said, tmp_path):
    session = session_of(SOURCE.replace(before, after), tmp_path)
    with pytest.raises(ValueError, match=rf"16_small\.py:\d+: {said}"):
        list(session.grade({}))


def test_a_check_that_raises_is_the_authors_fault(tmp_path):
    source = SOURCE.replace(
        'check("another number", lambda: four(1.5), 6.0)', 'check("another number", four(missing), 6)'
    )
    with pytest.raises(ValueError, match="the check 'four-check' fails: NameError"):
        list(session_of(source, tmp_path).check({}))
