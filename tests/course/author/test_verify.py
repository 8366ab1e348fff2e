import json

import pytest

from minitorch_course.author.build import as_text, build
from minitorch_course.author.layout import CourseLayout, write
from minitorch_course.author.mutate import mutants, problems_of_mutant
from minitorch_course.author.runner import Runner
from minitorch_course.author.scaffold import new
from minitorch_course.author.source import read_source, reference, release
from minitorch_course.author.verify import (
    changed_outputs,
    differences,
    failures_of_reference,
    points_of_empty_notebook,
    verify,
)

NAME = "15_sample"


@pytest.fixture
def places(tmp_path):
    """A notebook that is built but not executed."""
    places = CourseLayout(tmp_path)
    new(places, NAME)
    notebook = read_source(places.source(NAME))
    write(places.reference(NAME), as_text(reference(notebook)))
    write(places.released(NAME), as_text(release(notebook)))
    return places


def notebook_with(places, *edits):
    text = places.source(NAME).read_text("utf-8")
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    places.source(NAME).write_text(text, "utf-8")
    return read_source(places.source(NAME))


def test_committed_notebooks_are_compared_with_what_the_source_makes(places):
    notebook = notebook_with(places)
    assert list(differences(places, notebook)) == []
    advice = f"run `minitorch course build {NAME}`"

    changed = notebook_with(places, ("of 1, 2, 6 the mean is 3", "of 1, 2, 6 the mean is three"))
    assert list(differences(places, changed)) == [
        f"{places.reference(NAME)}: the cell 'top-text' is not what the source makes: {advice}.",
        f"{places.released(NAME)}: the cell 'top-text' is not what the source makes: {advice}.",
    ]
    changed = notebook_with(places, ("three", "3"), ("points=2", "points=3"))
    assert [problem.split(": ")[1][:20] for problem in differences(places, changed)] == [
        "the cell 'centre-pro",
        "the metadata is not ",
    ]
    places.released(NAME).unlink()
    assert f"{places.released(NAME)}: missing: {advice}." in list(differences(places, notebook))


def test_cells_out_of_order_and_too_many_are_seen(places):
    path = places.reference(NAME)
    committed = json.loads(path.read_text("utf-8"))
    committed["cells"][1:3] = committed["cells"][2:0:-1]
    path.write_text(json.dumps(committed), "utf-8")
    assert "the order of cells" in next(differences(places, notebook_with(places)))
    committed["cells"].append({**committed["cells"][0], "id": "extra"})
    path.write_text(json.dumps(committed), "utf-8")
    assert "the cell 'extra'" in next(differences(places, notebook_with(places)))


def test_an_exercise_that_pays_for_nothing_is_found(places):
    notebook = notebook_with(places, ("show(centre(draw.normal(2, 3, 4), -2))\n", f"show(1)\n\n{PAID}"))
    with Runner(notebook) as runner:
        assert points_of_empty_notebook(runner) == [f"{notebook.path}: the empty 'centre' earns the probe 'paid'."]
        assert failures_of_reference(runner) == []


PAID = """# %% name="paid" tags=["hidden-test"] exercise="centre" points=1 hint="Nothing to do."
show(draw.normal(3))
"""


def test_a_reference_that_does_not_agree_with_itself_is_found(places):
    notebook = notebook_with(
        places,
        ("show(centre(draw.normal(2, 3, 4), -2))", "import time\n\nshow(time.monotonic_ns())"),
        ("lambda: centre(table, 0),", "lambda: centre(table, 1),"),
    )
    with Runner(notebook) as runner:
        lost = failures_of_reference(runner)
    assert [problem.split(": ")[1] for problem in lost] == [
        "the reference loses 'centre-test' under seed 0",
        "the reference loses 'centre-test' under seed 1",
        "the reference fails the check 'columns of a table'",
    ]


def test_mutants_that_nobody_would_notice_are_told_with_line_and_edit(places):
    text = places.source(NAME).read_text("utf-8")
    before, _, after = text.partition("square = draw.normal(4, 4)")
    places.source(NAME).write_text(
        f"{before}show(centre(jnp.ones((1, 4)), 0))\n\n# %%{after.partition('# %%')[2]}", "utf-8"
    )
    notebook = notebook_with(places)
    exercise = notebook.exercise("centre")
    solution = "return x - x.mean(axis=axis, keepdims=True)"
    line = exercise.line + exercise.source.splitlines().index(f"    {solution}")
    with Runner(notebook) as runner:
        found = [fault for mutant in mutants(exercise) for fault in problems_of_mutant(exercise, mutant, runner)]
    start = f"{notebook.path}:{line}: a mutant of 'centre' loses no points: {solution}"
    assert f"{start}  ->  return (x.mean(axis=axis, keepdims=True) - x)" in found
    assert f"{start}  ->  return (x + x.mean(axis=axis, keepdims=True))" not in found


@pytest.mark.slow
def test_a_new_notebook_is_fit_until_its_outputs_change(tmp_path, monkeypatch):
    for name in ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS"):
        monkeypatch.delenv(name, raising=False)
    places, calls = CourseLayout(tmp_path), []
    new(places, NAME)
    build(places, NAME)
    assert verify(places, NAME, 2, lambda *call: calls.append(call)) == []
    n = calls[-1][1]
    assert calls == [(i, n) for i in range(1, n + 1)]

    path = places.reference(NAME)
    path.write_text(path.read_text("utf-8").replace("columns: [0.0, 0.0, 0.0]", "columns: [0.0, 0.0, 0.1]"), "utf-8")
    [problem] = changed_outputs(path)
    assert problem.startswith(f"{path}: nbval finds other outputs than the committed ones:")
    assert "Cell 4" in problem and "1 failed, 4 passed" in problem
