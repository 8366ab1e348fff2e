import json

import pytest

from minitorch_course.notebook.check import CHECKED
from minitorch_course.student.progress import STATES, Deadline, State, check_notebook, progress
from minitorch_course.student.workspace import start

pytestmark = pytest.mark.slow

RIGHT = "def double(x):\n    return 2 * x"


def test_a_notebook_is_run_and_each_exercise_has_its_state(small_course, tmp_path, write_exercise):
    folder = tmp_path / "two words é"
    path, _ = start("07", folder)
    write_exercise(path, "double", RIGHT)
    write_exercise(path, "total", "def total(x):\n    return double(x).sum() + 1")
    write_exercise(path, "extra", "def extra(x:\n    return x")
    before, cells = path.read_bytes(), []
    states = check_notebook(path, each=lambda done, of: cells.append((done, of)))
    assert states[0] == State("double", False, True)
    assert (states[1].exercise, states[1].done) == ("total", False)
    assert states[1].message.startswith("of three numbers: The result is ")
    assert states[2].message.startswith("its own cell fails: Python cannot read line 1, `def extra(x:`")
    assert path.read_bytes() == before
    assert cells[-1] == (6, 6)  # The demo, which would fail, did not run.
    assert progress(folder) == {"07_small": states}


def test_an_endless_loop_is_stopped_and_what_ran_counts(small_course, tmp_path, write_exercise, monkeypatch):
    monkeypatch.setattr(Deadline, "seconds_left", lambda self, cell: 1 if "total(jnp" in cell["source"] else 100)
    path, _ = start("07", tmp_path)
    write_exercise(path, "double", RIGHT)
    write_exercise(path, "total", "def total(x):\n    while True:\n        pass")
    states = check_notebook(path, limit=100)
    assert [state.done for state in states] == [True, None, False]
    assert states[1].message == "not reached within 100 seconds: is there an endless loop?"


def test_a_deleted_cell_is_named_and_a_dead_kernel_survived(small_course, tmp_path, write_exercise):
    path, _ = start("07", tmp_path)
    write_exercise(path, "double", None)
    write_exercise(path, "total", "import os\nos._exit(3)")
    states = check_notebook(path)
    assert "its cell is deleted" in states[0].message
    assert states[1].message == "not reached: the notebook's process died, perhaps because memory ran out"


def test_a_notebook_whose_cells_have_lost_their_names_is_checked_too(small_course, tmp_path, write_exercise):
    path, _ = start("07", tmp_path)
    write_exercise(path, "double", RIGHT)
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        del cell["id"]
    path.write_text(json.dumps(notebook | {"nbformat_minor": 0}), "utf-8")
    assert [state.done for state in check_notebook(path)] == [True, False, False]


def with_outputs(path, counts, passed):
    """The notebook as Jupyter saves it after a run."""
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] in counts:
            cell["execution_count"] = counts[cell["id"]]
        if cell["id"] == "double-check":
            content = {"exercise": None, "case": "a number", "passed": passed, "message": "" if passed else "No."}
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {CHECKED: content}}]
    path.write_text(json.dumps(notebook), "utf-8")


def state_of(path, name="double"):
    return next(state for state in progress(path.parent)[path.stem] if state.exercise == name)


def test_without_a_run_the_saved_outputs_count(small_course, tmp_path, write_exercise):
    path, _ = start("07", tmp_path)
    assert state_of(path) == State("double", False, False, "not written yet")
    write_exercise(path, "double", RIGHT)
    assert state_of(path).done is None
    with_outputs(path, {"double": 2, "double-check": 3}, True)
    assert state_of(path).done is True
    with_outputs(path, {"double": 2, "double-check": 3}, False)
    assert state_of(path) == State("double", False, False, "a number: No.")
    with_outputs(path, {"double": 4, "double-check": 3}, True)  # Run again after the check.
    assert state_of(path).done is None


def test_a_saved_state_counts_for_the_code_that_was_checked(small_course, tmp_path, write_exercise):
    from minitorch_course.student.homework import exercises
    from minitorch_course.student.progress import save_states

    path, _ = start("07", tmp_path)
    write_exercise(path, "double", RIGHT)
    task = exercises(path)[0]
    save_states(path, [(task, State("double", False, True))])
    assert state_of(path).done is True
    write_exercise(path, "double", RIGHT + " + 1")
    assert state_of(path).done is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"07_small": 3}', '{"07_small": {"double": 3}}', '{"07_small": {"double": {}}}']
)
def test_a_damaged_file_of_states_is_ignored(small_course, tmp_path, write_exercise, text):
    path, _ = start("07", tmp_path)
    write_exercise(path, "double", RIGHT)
    (tmp_path / STATES).parent.mkdir()
    (tmp_path / STATES).write_text(text, "utf-8")
    assert state_of(path).done is None


def test_only_started_notebooks_are_listed(small_course, tmp_path):
    assert progress(tmp_path) == {}
    start("08", tmp_path)
    assert list(progress(tmp_path)) == ["08_later"]
