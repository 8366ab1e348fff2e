"""The graded notebook is the reference's, whatever a student did to theirs."""

from dataclasses import replace

import pytest

from minitorch_course._ipynb import StudentCell as Cell
from minitorch_course.grading.merge import dry_run_cells, merge, reference_cells

IMPORTS = """
import jax
import jax.numpy as jnp
import numpy as np

from minitorch_course import check, inputs, report, setup

setup()
SCALE = 3.0
""".strip()
MINE = (
    Cell("imports", True, IMPORTS),
    Cell("softmax", True, "mine = 1"),
    Cell("softmax-check", True, "check(...)"),
    Cell("scaled", True, "mine = 2"),
    Cell("scaled-check", True, "check(...)"),
)


def names(merged):
    return [cell.name for cell in merged.cells]


def code(merged, name):
    return next(cell.source for cell in merged.cells if cell.name == name)


PLAIN = ["imports", "softmax", "softmax-test", "softmax-large", "scaled", "scaled-test"]


def test_exercises_are_the_students_and_other_cells_are_the_references(tiny):
    merged = merge(tiny, MINE)
    assert names(merged) == PLAIN
    assert merged.exercises == {"softmax": "mine = 1", "scaled": "mine = 2"}
    assert [cell.source for cell in merged.cells if cell.kind == "exercise"] == ["mine = 1", "mine = 2"]
    others = [cell for cell in merged.cells if cell.kind != "exercise"]
    assert others == [cell for cell in dry_run_cells(tiny) if cell.kind != "exercise"]


@pytest.mark.parametrize(
    "forged",
    [
        Cell("softmax-test", True, "forged"),
        Cell("softmax-check", True, "forged"),
        Cell("late", True, "forged"),
        Cell("softmax-test", True, "forged", "exercise", "softmax"),
        Cell("imports", False, "forged"),
        Cell("top-text", True, "forged"),
    ],
    ids=lambda cell: cell.id,
)
def test_cells_that_students_may_not_write_are_not_run(tiny, forged):
    merged = merge(tiny, (*MINE, forged))
    assert names(merged) == PLAIN
    assert "forged" not in str(merged)


def test_deleted_cells_are_restored_except_for_exercises(tiny):
    assert names(merge(tiny, ())) == ["imports", "softmax-test", "softmax-large", "scaled-test"]
    assert merge(tiny, MINE[3:]).exercises == {"scaled": "mine = 2"}


def test_an_exercise_without_its_id_is_found_by_its_metadata(tiny):
    merged = merge(
        tiny, [Cell("8f3a", True, "mine", "exercise", "softmax"), Cell("", True, "more", "exercise", "scaled")]
    )
    assert merged.exercises == {"softmax": "mine", "scaled": "more"}
    assert names(merged) == PLAIN


def test_an_exercise_without_id_and_metadata_is_found_by_its_functions(tiny):
    """As Colab exports it, and as merging cells leaves it."""
    mine = [f"%%time\ndef {name}(x):\n    return {i}" for i, name in enumerate(("softmax", "scaled"))]
    unknown = [Cell("", True, code) for code in mine]
    assert merge(tiny, unknown).exercises == dict(zip(("softmax", "scaled"), mine, strict=True))
    assert names(merge(tiny, unknown)) == PLAIN
    merged_up = Cell("imports", True, f"{IMPORTS}\n{mine[0]}")
    assert merge(tiny, [merged_up, unknown[1]]).exercises["softmax"] == merged_up.source
    both = Cell("softmax", True, "\n".join(code.partition("\n")[2] for code in mine))
    assert merge(tiny, [both]).exercises == {"softmax": both.source, "scaled": both.source}
    given = [Cell("", True, cell.source) for cell in tiny.of("setup", "check", "demo")]
    assert merge(tiny, given).exercises == {}  # No cell of the release is an answer.


def test_cells_without_their_ids_are_found_by_their_text(tiny):
    """They are not run as if the student had added them: a demo can take minutes."""
    cells = [Cell(f"{i:08x}", True, cell.source) for i, cell in enumerate(tiny.of("setup", "check", "demo"))]
    exercises = [Cell("", True, f"mine = {name!r}", "exercise", name) for name in ("softmax", "scaled")]
    assert names(merge(tiny, [*cells[:1], *exercises, *cells[1:]])) == PLAIN
    changed = Cell("12ab", True, cells[0].source + "\nimport math")
    assert names(merge(tiny, [changed, *exercises, *cells[1:]])) == ["added 0", *PLAIN]


def test_the_id_comes_before_the_metadata_and_the_first_before_others(tiny):
    copy = Cell("8f3a", True, "a copy", "exercise", "softmax")
    merged = merge(tiny, (copy, *MINE, Cell("softmax", True, "a second")))
    assert merged.exercises["softmax"] == "mine = 1"
    assert [(cell.name, cell.source) for cell in merged.cells if cell.kind == "added"] == [
        ("added 0", "a copy"),
        ("added scaled-check 0", "a second"),
    ]


def test_an_exercise_that_is_prose_now_is_missing(tiny):
    assert merge(tiny, [Cell("softmax", False, "mine = 1")]).exercises == {}


def test_added_cells_stand_where_they_were_added(tiny):
    def added(i):
        return Cell(f"x{i}", True, f"added = {i}")

    prose = Cell("y", False, "my notes")
    cells = (added(0), MINE[0], prose, added(1), added(2), *MINE[1:3], added(3), MINE[3], added(4))
    merged = merge(tiny, cells)
    order = [cell.source for cell in merged.cells if cell.kind != "hidden-test"]
    expected = ["added = 0", IMPORTS, "added = 1", "added = 2", "mine = 1", "added = 3", "mine = 2", "added = 4"]
    assert order == expected
    assert names(merged).index("added softmax-check 0") < names(merged).index("softmax-test")


def test_empty_cells_are_not_run(tiny):
    assert names(merge(tiny, (*MINE, Cell("x", True, " \n")))) == PLAIN


def test_exercises_run_in_the_references_order(tiny):
    assert names(merge(tiny, tuple(reversed(MINE)))) == PLAIN


def test_a_changed_set_up_cell_runs_before_the_original(tiny):
    changed = Cell("imports", True, IMPORTS + "\nimport math\nSCALE = 4.0")
    merged = merge(tiny, (changed, *MINE[1:]))
    assert names(merged) == ["changed imports 0", *PLAIN]
    assert "import math" in code(merged, "changed imports 0")
    assert "math" not in code(merged, "imports")


def test_a_set_up_cell_as_it_was_released_counts_as_unchanged(tiny):
    """Though the source has a remark for the formatter, which the release has not."""
    cells = [replace(c, source=f"{c.source}  # fmt: skip") if c.name == "imports" else c for c in tiny.cells]
    assert names(merge(replace(tiny, cells=tuple(cells)), MINE)) == PLAIN


def test_hidden_tests_of_submissions_hold_neither_mistakes_nor_tolerances(tiny):
    key = {cell.name: cell.source for cell in reference_cells(tiny)}
    mine = {cell.name: cell.source for cell in dry_run_cells(tiny)}
    assert "not divided" in key["softmax-test"]
    assert "not divided" not in mine["softmax-test"]
    assert mine["softmax-test"].splitlines()[1:] == ["x = inputs.normal(5)", "report(softmax(x))"]
    assert {name for name in key if key[name] != mine[name]} <= {"softmax-test", "softmax-large", "scaled-test"}


def test_hidden_tests_begin_with_their_own_stream_and_the_right_functions(tiny):
    begin = "from minitorch_course import inputs, report; inputs.begin('softmax-large')\n"
    assert code(merge(tiny, MINE), "softmax-large").startswith(begin)
