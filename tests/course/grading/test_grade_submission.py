"""What is told of a probe."""


def errors(row):
    return {probe["name"]: probe["error"] for probe in row["probes"]}


def test_where_the_cell_of_an_exercise_stopped_its_probes_say_why(graded, answers):
    row = graded(answers(softmax="def softmax(x):\n    return (", scaled="def scaled(a, b):\n    return a / 0"))
    told = errors(row)
    for name in ("softmax-test", "softmax-large"):
        assert told[name].startswith("The cell of softmax stopped, so not all is there that it defines. Python cannot")
        assert "Nothing is called `softmax` here" in told[name]
    assert "stopped" not in told["scaled-test"] and "division by 0" in told["scaled-test"]


def test_a_cell_that_stops_after_its_definition_costs_nothing(graded, answers):
    row = graded(answers(softmax="def softmax(x):\n    e = jnp.exp(x - x.max())\n    return e / e.sum()\n\n1 / 0"))
    assert (row["points"], set(errors(row).values())) == (6, {None})
