import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch_course import draw, show
from minitorch_course.notebook.display import listen
from minitorch_course.notebook.hidden_test import SHOWN, judge


@pytest.fixture(autouse=True)
def fresh():
    draw.begin("probe")


@pytest.fixture
def run(monkeypatch):
    """`run(mode, probe, seed)`: what the shows of a probe sent."""

    def call(mode, probe, seed=5, name="hidden-test"):
        monkeypatch.setenv("MINITORCH_SEED", str(seed))
        monkeypatch.setenv("MINITORCH_SHOW", mode)
        bundles = []
        with listen(bundles.append):
            draw.begin(name)
            probe()
        return [bundle[SHOWN] for bundle in bundles]

    return call


def drawn():
    return [
        draw.normal(3, 5), draw.uniform(4, low=-1, high=1), draw.integers(6, low=2, high=4), draw.permutation(5),
        draw.scalar(), draw.choice("abcdef"), jax.random.key_data(draw.key()), draw.normal(),
    ]  # fmt: skip


def as_text(values):
    return [str(np.asarray(value)) for value in values]


def test_what_is_drawn_is_of_the_kind_that_was_asked_for():
    normal, uniform, integers, permutation, scalar, choice, _, single = drawn()
    assert (normal.shape, normal.dtype) == ((3, 5), jnp.float32)
    assert uniform.dtype == jnp.float32 and -1 <= uniform.min() < 0 < uniform.max() <= 1
    assert integers.dtype == jnp.int32 and set(integers.tolist()) <= {2, 3}
    assert sorted(permutation.tolist()) == [0, 1, 2, 3, 4]
    assert type(scalar) is float and choice in "abcdef" and single.shape == ()


def test_draws_depend_on_seed_probe_and_call_and_on_nothing_else(monkeypatch):
    first = as_text(drawn())
    assert draw.normal(3, 5).tolist() != draw.normal(3, 5).tolist()
    draw.begin("probe")
    assert as_text(drawn()) == first
    draw.begin("another")
    assert as_text(drawn())[0] != first[0]
    monkeypatch.setenv("MINITORCH_SEED", "1")
    draw.begin("probe")
    assert as_text(drawn())[0] != first[0]


def test_streams_stay_as_they_are_from_version_to_version():
    assert np.asarray(draw.normal(2)).round(4).astype(float).round(4).tolist() == [1.3241, 2.5339]


def test_an_earlier_call_with_another_shape_does_not_move_the_next():
    draw.normal(3)
    second = draw.normal(4).tolist()
    draw.begin("probe")
    draw.normal(100)
    assert draw.normal(4).tolist() == second


def test_outside_of_grading_only_the_kind_is_shown(capsys, monkeypatch):
    monkeypatch.delenv("MINITORCH_SHOW", raising=False)
    show(jnp.ones((3, 5)), mistakes={"never": lambda: 1 / 0})
    assert capsys.readouterr().out == "float32 (3, 5)\n"


def softmax(x, axis=-1):
    return jax.nn.softmax(x, axis)


def probe(function, mistakes=True):
    def body():
        x = draw.normal(3, 5)
        show(function(x), mistakes={"Over axis 0.": lambda: jax.nn.softmax(x, 0)} if mistakes else None)

    return body


def test_a_value_is_judged_against_the_key(run):
    [key] = run("key", probe(softmax))
    [right] = run("values", probe(softmax))
    [over_rows] = run("values", probe(lambda x: softmax(x, 0)))
    [unchanged] = run("values", probe(lambda x: x))
    assert judge(right, key) is None
    assert judge(over_rows, key) == "Over axis 0."
    assert "The result is the input itself" in str(judge(unchanged, key))


def test_a_student_process_evaluates_no_mistakes_and_holds_no_tolerance(run):
    [sent] = run("values", lambda: show(1.0, mistakes={"never": lambda: 1 / 0}, rtol=1e9))
    assert set(sent) == {"probe", "number", "value"}
    assert (sent["probe"], sent["number"]) == ("probe", 1)


def test_tolerances_are_those_of_the_key(run):
    [key] = run("key", lambda: show(1.0))
    [sent] = run("values", lambda: show(2.0, rtol=10.0))
    assert judge(sent, key) is not None
    [loose] = run("key", lambda: show(1.0, rtol=2.0))
    assert judge(sent, loose) is None
    [strict] = run("key", lambda: show(jnp.ones(3), dtype=True))
    [double] = run("values", lambda: show(np.ones(3)))
    assert judge(double, strict) == "The dtype is float64, where float32 is expected."


def test_another_seed_is_another_answer(run):
    [key] = run("key", probe(softmax), seed=1)
    [sent] = run("values", probe(softmax), seed=2)
    assert judge(sent, key) is not None


@pytest.mark.parametrize("value", [None, print, object(), {"w": jnp.ones(2)}, [1, (2.0, "x")]])
def test_whatever_a_student_shows_is_sent(run, value):
    [sent] = run("values", lambda: show(value))
    [key] = run("key", lambda: show(0.5))
    assert judge(sent, key) is not None


def test_a_reference_that_shows_what_cannot_be_sent_is_refused(run):
    with pytest.raises(ValueError, match="shows a function, which cannot be sent"):
        run("key", lambda: show(softmax))


@pytest.mark.parametrize(
    "shown",
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
def test_malformed_values_are_wrong_answers(run, shown):
    [key] = run("key", probe(softmax))
    assert judge(shown, key) is not None


def test_hidden_numbers_stay_hidden(run):
    [key] = run("key", lambda: show(0.123456))
    [sent] = run("values", lambda: show(0.7))
    assert "0.1235" not in str(judge(sent, key))
    assert "0.1235" in str(judge(sent, key, reveal=True))
