import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch_course import check
from minitorch_course.notebook.check import CHECKED
from minitorch_course.notebook.display import listen

X = jnp.asarray(np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32))


@pytest.fixture
def said():
    bundles = []

    def call(*args, **options):
        with listen(bundles.append):
            check("the case", *args, **options)
        return bundles.pop()

    return call


def test_a_right_answer_is_ok(said):
    bundle = said(lambda: X.sum(0), lambda: jnp.sum(X, 0))
    assert bundle["text/plain"] == "ok: the case"
    assert bundle[CHECKED] == {"exercise": None, "case": "the case", "passed": True, "message": ""}
    assert "<strong>ok</strong>: the case" in bundle["text/html"]


def test_what_is_expected_may_be_a_value(said):
    assert said(lambda: 3, 3)[CHECKED]["passed"]
    assert not said(lambda: 3, 4)[CHECKED]["passed"]


def test_a_foreseen_mistake_has_its_message(said):
    mistakes = {"Along the rows.": lambda: X.sum(1), "A `value`.": 7}
    assert said(lambda: X.sum(1), lambda: X.sum(0), mistakes)["text/plain"] == "not yet: the case\n  Along the rows."
    bundle = said(lambda: 7, 8, mistakes)
    assert bundle[CHECKED]["message"] == "A `value`."
    assert "A <code>value</code>." in bundle["text/html"]


def test_the_input_is_called_by_its_name(said):
    local = X + 1
    assert "The result is `local` itself" in said(lambda: local, lambda: local * 2)["text/plain"]
    assert "where `X` is negative" in said(lambda: jnp.where(X < 0, 0.1 * X, X), lambda: X * (X > 0))["text/plain"]


def test_an_exception_is_explained_with_the_original_below(said):
    def task(x):
        return x @ x

    bundle = said(lambda: task(X), 1.0)
    lines = bundle["text/plain"].splitlines()
    assert lines[0] == "not yet: the case"
    assert lines[1].startswith("  A matrix product needs the last axis")
    assert "`x` is float32 (3, 5)" in lines[1]
    assert lines[2] == "    The original error:"
    assert lines[-1].startswith("      TypeError: dot_general requires")
    assert "<details" in bundle["text/html"]


def cell(name, code, namespace):
    exec(compile(code, f"<{name}>", "exec"), namespace)


@pytest.mark.parametrize(
    "task", ["def task(x):\n    return helper(x)", "class task:\n    def __init__(self, x):\n        helper(x)"]
)
def test_an_error_in_what_the_notebook_gave_is_placed_in_the_students_own_code(said, task):
    namespace = {}
    cell("given", "def helper(x):\n    return x @ x", namespace)
    cell("task", task, namespace)
    given = eval("lambda: task(x)", namespace | {"x": X})
    place = said(given, 1.0)[CHECKED]["message"].partition("It happened")[2]
    assert place.startswith(" in `task` on line 2") or place.startswith(" in `__init__` on line 3")


def test_mistakes_are_only_looked_at_where_the_answer_is_wrong(said):
    assert said(lambda: 1, 1, {"never": lambda: 1 / 0})[CHECKED]["passed"]


def test_a_name_without_a_value_and_a_random_key_are_no_inputs(said):
    key = jax.random.key(0)

    def later():
        def given():
            return (X, key, unset)[0]

        if not X.shape:  # Never, so it has no value.
            unset = 1
        return given

    assert said(lambda: (X, key)[0] * 2, lambda: X)[CHECKED]["message"].startswith("Every number is too large")
    assert "unset" in said(later(), 1)[CHECKED]["message"]


def test_exit_does_not_end_the_notebook(said):
    def task():
        raise SystemExit

    assert "exit() was called" in said(task, 1.0)["text/plain"]


def test_what_is_not_written_yet_says_so(said):
    def task():
        raise NotImplementedError("add the rows")

    assert said(task, 1.0)["text/plain"] == "not yet: the case\n  Not written yet: add the rows"


@pytest.mark.parametrize("value", [None, print, object(), [[]], {1: object()}, "text", jnp])
def test_nothing_that_is_returned_makes_it_raise(said, value):
    for expected in (X, 1.0, [X], {"a": 1}, "text!", None if value is not None else 1):
        assert not said(lambda: value, expected)[CHECKED]["passed"]


def test_a_container_of_itself_is_explained(said):
    loop = []
    loop.append(loop)
    assert "nested more than" in said(lambda: loop, 1)["text/plain"]


def test_a_check_that_fails_itself_says_so(said):
    message = said(lambda: 1, lambda: 1 / 0)[CHECKED]["message"]
    assert message.startswith("The check itself failed, not your code. A number is divided by 0.")
    assert not said(lambda: 1, 2, {"wrong": lambda: 1 / 0})[CHECKED]["passed"]


def test_tolerances_and_dtypes_can_be_stated(said):
    assert said(lambda: 1.05, 1.0, rtol=0.1)[CHECKED]["passed"]
    assert said(lambda: 0.05, 0.0, atol=0.1)[CHECKED]["passed"]
    assert "The dtype is float32" in said(lambda: X, lambda: np.asarray(X, np.float64), dtype=True)["text/plain"]


def test_outside_of_a_notebook_the_text_is_printed(capsys):
    check("the case", lambda: 1, 1)
    assert capsys.readouterr().out == "ok: the case\n"
