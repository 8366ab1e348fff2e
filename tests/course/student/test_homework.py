import json

import pytest

from minitorch_course._ipynb import defined_functions
from minitorch_course.grading.collect import SubmissionFiles
from minitorch_course.grading.submission import parse_submission
from minitorch_course.student.homework import RELEASED, exercises, find_name, read_cells, read_homework, released_names
from minitorch_course.student.workspace import start


@pytest.fixture
def path(small_course, tmp_path):
    return start("07", tmp_path)[0]


def change(path, edit):
    notebook = json.loads(path.read_text("utf-8"))
    edit(notebook["cells"])
    path.write_text(json.dumps(notebook), "utf-8")


def test_exercises_come_with_their_checks_in_the_releases_order(path):
    change(path, lambda cells: cells.reverse())
    tasks = exercises(path)
    assert [task.name for task in tasks] == ["double", "total", "extra"]
    assert [[cell.id for cell in task.checks] for task in tasks] == [["double-check"], ["total-check"], []]
    assert [task.released.stretch for task in tasks] == [False, False, True]


def test_an_exercise_is_written_when_its_code_is_not_the_releases(path, write_exercise):
    assert not exercises(path)[0].written
    write_exercise(path, "double", '\ndef double(x):\n    raise NotImplementedError("twice x")\n')
    assert not exercises(path)[0].written  # Blank lines around it are not an answer.
    write_exercise(path, "double", "def double(x):\n    return 3")
    assert exercises(path)[0].written
    write_exercise(path, "double", None)
    assert exercises(path)[0].cell is None
    assert not exercises(path)[0].written


def test_a_cell_that_was_renamed_is_known_by_its_exercise(path, write_exercise):
    write_exercise(path, "double", "def double(x):\n    return 3")
    change(path, lambda cells: cells[1].update(id="a1b2c3"))
    assert exercises(path)[0].cell.id == "a1b2c3"
    change(path, lambda cells: cells.append(cells[1] | {"id": "double", "source": "the original place"}))
    assert exercises(path)[0].cell.source == "the original place"


def strip(cell):
    """A cell as an export without ids and metadata leaves it."""
    del cell["id"]
    cell["metadata"] = {}


def merge_down(cells):
    """The exercise `double` and its check in one cell, as Shift+M leaves them."""
    cells[1]["source"] = ["".join(cells[1]["source"]), "\n\n", "".join(cells.pop(2)["source"])]


LOSSES = {  # what happened to the check of `double`, and whether the released one is run in its place
    "deleted": (lambda cells: cells.pop(2), True),
    "prose": (lambda cells: cells[2].update(cell_type="markdown"), True),
    "changed": (lambda cells: cells[2].update(source='check("a number", lambda: 5, 5)'), True),
    "merged": (merge_down, True),
    "merged, ids lost": (lambda cells: [merge_down(cells), *map(strip, cells)], True),
    "metadata lost": (lambda cells: cells[2].update(metadata={}), False),
    "ids and metadata lost": (lambda cells: [strip(cell) for cell in cells], False),
    "moved": (lambda cells: cells.append(cells.pop(2)), False),
}


@pytest.mark.parametrize(("lose", "restored"), LOSSES.values(), ids=LOSSES)
def test_a_check_that_is_not_as_released_is_restored_after_its_exercise(path, write_exercise, lose, restored):
    write_exercise(path, "double", "def double(x):\n    return 3")
    change(path, lose)
    homework = read_homework(path)
    task = homework.exercises[0]
    assert "return 3" in task.cell.source
    assert [check.restored for check in task.checks] == [restored]
    assert task.checks[0] in homework.cells
    assert homework.cells.index(task.cell) < homework.cells.index(task.checks[0])
    if restored:
        assert homework.cells.index(task.checks[0]) < homework.cells.index(homework.exercises[1].cell)


@pytest.mark.parametrize("name", [path.stem for path in sorted(RELEASED.glob("*.ipynb"))])
def test_every_exercise_and_check_of_the_course_is_found_in_whatever_is_left(name, tmp_path):
    whole = json.loads((RELEASED / f"{name}.ipynb").read_text("utf-8"))
    exercises = {cell["id"] for cell in whole["cells"] if "exercise" in cell["metadata"].get("tags", ())}
    checks = [cell["id"] for cell in whole["cells"] if "check" in cell["metadata"].get("tags", ())]
    for lost in ([], ["id"], ["metadata"], ["id", "metadata"]):
        cells = [{**cell, **{key: {"id": "", "metadata": {}}[key] for key in lost}} for cell in whole["cells"]]
        for cell, before in zip(cells, whole["cells"], strict=True):
            if before["id"] in exercises:
                cell["source"] = f"%%time\n{''.join(before['source'])}\n# mine"
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(whole | {"cells": cells}), "utf-8")
        homework = read_homework(tmp_path / f"{name}.ipynb")
        found = {task.name: task for task in homework.exercises if task.cell and task.cell.source.endswith("# mine")}
        nameless = {name for name, task in found.items() if not defined_functions(task.released.source)}
        assert found.keys() | (nameless if lost == ["id", "metadata"] else set()) == exercises
        assert [check.restored for task in homework.exercises for check in task.checks] == [False] * len(checks)


def test_source_may_be_text_or_lines(path):
    change(path, lambda cells: [cell.update(source=["a\n", "b"] if i else "a\nb") for i, cell in enumerate(cells)])
    assert {cell.source for cell in read_cells(path)} == {"a\nb"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"nbformat": 4, "cells": 3}', "[" * 100_000, '{"nbformat": 3, "worksheets": []}', b"\xff\xfe{}"],
)
def test_a_file_that_is_not_a_notebook_is_named(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"07_small.ipynb cannot be read as a notebook\. The .*\.$"):
        read_cells(path)


ODD = [
    3,
    {},
    {"cell_type": "code", "source": 3},
    {"cell_type": "code", "source": "", "metadata": 3},
    {"cell_type": "code", "source": "", "metadata": {"tags": None}},
    {"cell_type": "code", "source": "", "outputs": None, "execution_count": "7"},
    {"cell_type": "code", "source": "x = '\ud83d'", "id": "\ud83d"},
    {"cell_type": "code", "source": ["a", 7], "id": ["double"], "metadata": {"minitorch": {"kind": ["exercise"]}}},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_what_grading_reads_is_read_here_too(path, odd):
    change(path, lambda cells: cells.insert(0, odd))
    content = path.read_bytes()
    graded = parse_submission(SubmissionFiles("s", {path.name: content}), path.stem)
    here = read_cells(path)
    assert [cell.source for cell in here] == [cell.source for cell in graded.cells if cell.code]
    assert "".join(cell.source + cell.id for cell in here).encode("utf-8")
    assert [task.cell.id for task in exercises(path)] == ["double", "total", "extra"]


def test_a_notebook_is_found_by_number_or_name(small_course):
    assert released_names() == ["07_small", "08_later"]
    assert find_name("07") == find_name("07_small") == "07_small"
    with pytest.raises(ValueError, match=r"No notebook is called '7'. There are: 07_small, 08_later."):
        find_name("7")
