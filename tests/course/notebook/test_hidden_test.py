import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch_course import inputs, report
from minitorch_course.notebook.display import listen
from minitorch_course.notebook.hidden_test import REPORTED, judge

NAME = "probe"  # The literals below depend on it.


@pytest.fixture(autouse=True)
def fresh():
    inputs.begin(NAME)


@pytest.fixture
def run(monkeypatch):
    """`run(mode, test, seed)` returns what a hidden test reported."""

    def call(mode, test, seed=5):
        monkeypatch.setenv("MINITORCH_SEED", str(seed))
        monkeypatch.setenv("MINITORCH_REPORT", mode)
        bundles = []
        with listen(bundles.append):
            inputs.begin(NAME)
            test()
        return [bundle[REPORTED] for bundle in bundles]

    return call


def drawn():
    return [
        inputs.normal(3, 5), inputs.uniform(4, low=-1, high=1), inputs.integers(6, low=2, high=4),
        inputs.permutation(5),
        inputs.scalar(), inputs.choice("abcdef"), jax.random.key_data(inputs.key()), inputs.normal(),
    ]  # fmt: skip


def as_text(values):
    return [str(np.asarray(value)) for value in values]


def test_inputs_have_the_requested_kind_and_shape():
    normal, uniform, integers, permutation, scalar, choice, _, single = drawn()
    assert (normal.shape, normal.dtype) == ((3, 5), jnp.float32)
    assert uniform.dtype == jnp.float32
    assert -1 <= uniform.min() < 0 < uniform.max() <= 1
    assert integers.dtype == jnp.int32
    assert set(integers.tolist()) <= {2, 3}
    assert sorted(permutation.tolist()) == [0, 1, 2, 3, 4]
    assert type(scalar) is float
    assert choice in "abcdef"
    assert single.shape == ()


def test_inputs_depend_on_seed_test_and_call_only(monkeypatch):
    first = as_text(drawn())
    assert inputs.normal(3, 5).tolist() != inputs.normal(3, 5).tolist()
    inputs.begin(NAME)
    assert as_text(drawn()) == first
    inputs.begin("another")
    assert as_text(drawn())[0] != first[0]
    monkeypatch.setenv("MINITORCH_SEED", "1")
    inputs.begin(NAME)
    assert as_text(drawn())[0] != first[0]


def test_inputs_are_the_same_in_every_version():
    assert np.asarray(inputs.normal(2)).round(4).astype(float).round(4).tolist() == [1.3241, 2.5339]


def test_the_shape_of_an_earlier_call_does_not_change_the_next():
    inputs.normal(3)
    second = inputs.normal(4).tolist()
    inputs.begin(NAME)
    inputs.normal(100)
    assert inputs.normal(4).tolist() == second


def test_outside_of_grading_only_the_kind_is_displayed(capsys, monkeypatch):
    monkeypatch.delenv("MINITORCH_REPORT", raising=False)
    report(jnp.ones((3, 5)), mistakes={"never": lambda: 1 / 0})
    assert capsys.readouterr().out == "float32 (3, 5)\n"


def softmax(x, axis=-1):
    return jax.nn.softmax(x, axis)


def hidden_test(function):
    def test():
        x = inputs.normal(3, 5)
        report(function(x), mistakes={"Over axis 0.": lambda: jax.nn.softmax(x, 0)})

    return test


def test_a_value_is_judged_against_the_key(run):
    [key] = run("key", hidden_test(softmax))
    [right] = run("values", hidden_test(softmax))
    [over_rows] = run("values", hidden_test(lambda x: softmax(x, 0)))
    [unchanged] = run("values", hidden_test(lambda x: x))
    assert judge(right, key) is None
    assert judge(over_rows, key) == "Over axis 0."
    assert "The result is the input itself" in str(judge(unchanged, key))


def test_a_student_process_evaluates_no_mistakes_and_holds_no_tolerance(run):
    [sent] = run("values", lambda: report(1.0, mistakes={"never": lambda: 1 / 0}, rtol=1e9))
    assert set(sent) == {"test", "number", "value"}
    assert (sent["test"], sent["number"]) == (NAME, 1)


def test_the_tolerances_of_the_key_count(run):
    [key] = run("key", lambda: report(1.0))
    [sent] = run("values", lambda: report(2.0, rtol=10.0))
    assert judge(sent, key) is not None
    [loose] = run("key", lambda: report(1.0, rtol=2.0))
    assert judge(sent, loose) is None
    [strict] = run("key", lambda: report(jnp.ones(3), dtype=True))
    [double] = run("values", lambda: report(np.ones(3)))
    assert judge(double, strict) == "The dtype is float64, where float32 is expected."


def test_another_seed_is_another_answer(run):
    [key] = run("key", hidden_test(softmax), seed=1)
    [sent] = run("values", hidden_test(softmax), seed=2)
    assert judge(sent, key) is not None


@pytest.mark.parametrize("value", [None, print, object(), {"w": jnp.ones(2)}, [1, (2.0, "x")]])
def test_whatever_a_student_reports_is_sent(run, value):
    [sent] = run("values", lambda: report(value))
    [key] = run("key", lambda: report(0.5))
    assert judge(sent, key) is not None


def test_a_reference_that_reports_an_unserializable_value_is_refused(run):
    with pytest.raises(ValueError, match="reports a function, which cannot be sent"):
        run("key", lambda: report(softmax))


@pytest.mark.parametrize(
    "reported",
    [
        None,
        {},
        [],
        "text",
        3,
        {"value": {"array": "object"}},
        {"value": {"float": 1}},
        {"value": [[[]]] * 3},
        {"other": 1},
    ],
)
def test_malformed_values_are_wrong_answers(run, reported):
    [key] = run("key", hidden_test(softmax))
    assert judge(reported, key) is not None


def test_hidden_numbers_stay_hidden(run):
    [key] = run("key", lambda: report(0.123456))
    [sent] = run("values", lambda: report(0.7))
    assert "0.1235" not in str(judge(sent, key))
    assert "0.1235" in str(judge(sent, key, reveal=True))
