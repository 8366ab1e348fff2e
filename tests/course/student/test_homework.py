import json

import pytest

from minitorch_course.student.homework import exercises, find_name, read_cells, released_names
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
    assert [[cell.name for cell in task.checks] for task in tasks] == [["double-check"], ["total-check"], []]
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
    assert exercises(path)[0].cell.name == "a1b2c3"
    change(path, lambda cells: cells.append(cells[1] | {"id": "double", "source": "the original place"}))
    assert exercises(path)[0].cell.source == "the original place"


def test_source_may_be_text_or_lines(path):
    change(path, lambda cells: [cell.update(source=["a\n", "b"] if i else "a\nb") for i, cell in enumerate(cells)])
    assert {cell.source for cell in read_cells(path)} == {"a\nb"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": "code"}]}', "[" * 100_000,
     '{"cells": [{"cell_type": "code", "source": 3}]}',
     '{"cells": [{"cell_type": "code", "source": "", "metadata": 3}]}',
     '{"cells": [{"cell_type": "code", "source": "", "metadata": {"tags": null}}]}'],
)  # fmt: skip
def test_a_file_that_is_not_a_notebook_is_named(path, text):
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"07_small.ipynb cannot be read as a notebook"):
        read_cells(path)


def test_bytes_that_are_not_text_are_refused(path):
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="cannot be read as a notebook"):
        read_cells(path)


def test_a_notebook_is_found_by_number_or_name(small_course):
    assert released_names() == ["07_small", "08_later"]
    assert find_name("07") == find_name("07_small") == "07_small"
    with pytest.raises(ValueError, match=r"No notebook is called '7'. There are: 07_small, 08_later."):
        find_name("7")
