import json

import pytest

from minitorch_course.author.build import as_text, build
from minitorch_course.author.layout import CourseLayout, write
from minitorch_course.author.mutate import mutants, problems_of_mutant
from minitorch_course.author.runner import Runner
from minitorch_course.author.scaffold import scaffold
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
def layout(tmp_path):
    """A notebook that is built but not executed."""
    layout = CourseLayout(tmp_path)
    scaffold(layout, NAME)
    notebook = read_source(layout.source(NAME))
    write(layout.reference(NAME), as_text(reference(notebook)))
    write(layout.released(NAME), as_text(release(notebook)))
    return layout


def notebook_with(layout, *edits):
    text = layout.source(NAME).read_text("utf-8")
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    layout.source(NAME).write_text(text, "utf-8")
    return read_source(layout.source(NAME))


def test_committed_notebooks_are_compared_with_what_the_source_builds(layout):
    notebook = notebook_with(layout)
    assert list(differences(layout, notebook)) == []
    advice = f"run `minitorch course build {NAME}`"

    changed = notebook_with(layout, ("of 1, 2, 6 the mean is 3", "of 1, 2, 6 the mean is three"))
    assert list(differences(layout, changed)) == [
        f"{layout.reference(NAME)}: the cell 'top-text' is not what the source builds: {advice}.",
        f"{layout.released(NAME)}: the cell 'top-text' is not what the source builds: {advice}.",
    ]
    changed = notebook_with(layout, ("three", "3"), ("points=2", "points=3"))
    assert [problem.split(": ")[1][:20] for problem in differences(layout, changed)] == [
        "the cell 'centre-tes",
        "the metadata is not ",
    ]
    layout.released(NAME).unlink()
    assert f"{layout.released(NAME)}: missing: {advice}." in list(differences(layout, notebook))


def test_cells_out_of_order_and_too_many_are_seen(layout):
    path = layout.reference(NAME)
    committed = json.loads(path.read_text("utf-8"))
    committed["cells"][1:3] = committed["cells"][2:0:-1]
    path.write_text(json.dumps(committed), "utf-8")
    assert "the order of cells" in next(differences(layout, notebook_with(layout)))
    committed["cells"].append({**committed["cells"][0], "id": "extra"})
    path.write_text(json.dumps(committed), "utf-8")
    assert "the cell 'extra'" in next(differences(layout, notebook_with(layout)))


def test_an_exercise_that_gives_points_for_nothing_is_found(layout):
    notebook = notebook_with(layout, ("report(centre(inputs.normal(2, 3, 4), -2))\n", f"report(1)\n\n{PAID}"))
    with Runner(notebook) as runner:
        assert points_of_empty_notebook(runner) == [f"{notebook.path}: the empty 'centre' earns the points of 'paid'."]
        assert failures_of_reference(runner) == []


PAID = """# %% name="paid" tags=["hidden-test"] exercise="centre" points=1 hint="Nothing to do."
report(inputs.normal(3))
"""


def test_a_reference_that_does_not_agree_with_itself_is_found(layout):
    notebook = notebook_with(
        layout,
        ("report(centre(inputs.normal(2, 3, 4), -2))", "import time\n\nreport(time.monotonic_ns())"),
        ("lambda: centre(table, 0),", "lambda: centre(table, 1),"),
    )
    with Runner(notebook) as runner:
        lost = failures_of_reference(runner)
    assert [problem.split(": ")[1] for problem in lost] == [
        "the reference loses 'centre-test' under seed 0",
        "the reference loses 'centre-test' under seed 1",
        "the reference fails the check 'columns of a table'",
    ]


def test_mutants_that_no_test_notices_are_reported_with_line_and_edit(layout):
    text = layout.source(NAME).read_text("utf-8")
    before, _, after = text.partition("square = inputs.normal(4, 4)")
    layout.source(NAME).write_text(
        f"{before}report(centre(jnp.ones((1, 4)), 0))\n\n# %%{after.partition('# %%')[2]}", "utf-8"
    )
    notebook = notebook_with(layout)
    exercise = notebook.exercise("centre")
    solution = "return x - x.mean(axis=axis, keepdims=True)"
    line = exercise.line + exercise.source.splitlines().index(f"    {solution}")
    with Runner(notebook) as runner:
        found = [problem for mutant in mutants(exercise) for problem in problems_of_mutant(exercise, mutant, runner)]
    start = f"{notebook.path}:{line}: a mutant of 'centre' loses no points: {solution}"
    assert f"{start}  ->  return (x.mean(axis=axis, keepdims=True) - x)" in found
    assert f"{start}  ->  return (x + x.mean(axis=axis, keepdims=True))" not in found


@pytest.mark.costly
def test_a_new_notebook_is_fit_until_its_outputs_change(tmp_path, monkeypatch):
    for name in ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS"):
        monkeypatch.delenv(name, raising=False)
    layout, calls = CourseLayout(tmp_path), []
    scaffold(layout, NAME)
    build(layout, NAME)
    assert verify(layout, NAME, 2, lambda *call: calls.append(call)) == []
    n = calls[-1][1]
    assert calls == [(i, n) for i in range(1, n + 1)]

    path = layout.reference(NAME)
    path.write_text(path.read_text("utf-8").replace("columns: [0.0, 0.0, 0.0]", "columns: [0.0, 0.0, 0.1]"), "utf-8")
    [problem] = changed_outputs(path)
    assert problem.startswith(f"{path}: nbval finds other outputs than the committed ones:")
    assert "Cell 4" in problem
    assert "1 failed, 4 passed" in problem
