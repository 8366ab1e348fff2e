"""The messages of a hidden test."""


def errors(row):
    return {test["name"]: test["error"] for test in row["tests"]}


def test_if_the_cell_of_an_exercise_stopped_its_tests_say_why(graded, answers):
    row = graded(answers(softmax="def softmax(x):\n    return (", scaled="def scaled(a, b):\n    return a / 0"))
    found = errors(row)
    for name in ("softmax-test", "softmax-large"):
        assert found[name].startswith(
            "The cell of softmax stopped, so some of its definitions are missing. Python cannot"
        )
        assert "The name `softmax` is not defined here" in found[name]
    assert "stopped" not in found["scaled-test"]
    assert "divided by 0" in found["scaled-test"]


def test_a_cell_that_stops_after_its_definition_costs_nothing(graded, answers):
    row = graded(answers(softmax="def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()\n\n1 / 0"))
    assert (row["points"], set(errors(row).values())) == (6, {None})
