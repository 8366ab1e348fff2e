import ast

from minitorch_course.author.cells import Cell
from minitorch_course.author.mutate import mutants

SOURCE = '''def scale(x: int = 3, kind="a->b"):
    """2 times."""
    y = x + 1
    # BEGIN SOLUTION double what is
    # positive
    """3 times."""
    y: float | 5 = x * 2  # mutant-ok: no matter
    if x > 0:
        raise ValueError(f"{x + 1} is wrong")
    return (
        -x
        + y
    )
    # END SOLUTION
    return y - 1
'''


def exercise(source, *tags):
    return Cell("exercise", "scale", ("exercise", *tags), {}, source, 10)


def test_only_the_solution_is_edited_without_types_words_and_exempted_lines():
    found = list(mutants(exercise(SOURCE)))
    assert [(mutant.line, mutant.before, mutant.after) for mutant in found] == [
        (7, "if x > 0:", "if (x >= 0):"),
        (7, "if x > 0:", "if (x < 0):"),
        (7, "if x > 0:", "if x > (1):"),
        (7, "if x > 0:", "if x > (-1):"),
        (10, "-x + y", "(-x - y)"),
        (10, "-x + y", "(-x)"),
        (10, "-x + y", "(y)"),
        (10, "-x", "(x)"),
    ]


def test_a_mutant_is_the_whole_cell_as_a_student_would_submit_it():
    mutant = next(mutants(exercise(SOURCE)))
    assert "SOLUTION" not in mutant.source
    assert "mutant-ok" not in mutant.source
    assert "    if (x >= 0):\n        raise" in mutant.source
    ast.parse(mutant.source)


def test_no_mutant_comes_twice_and_none_is_the_reference():
    source = "def f(x):\n    # BEGIN SOLUTION x\n    return 1 * 1 + (x, x)[0 * 1]\n    # END SOLUTION\n"
    codes = [mutant.source for mutant in mutants(exercise(source))]
    assert len(codes) == len(set(codes))


def test_text_of_other_scripts_before_an_edit_does_not_move_it():
    source = 'def f(x):\n    # BEGIN SOLUTION x\n    return {"größe 大小": -x}\n    # END SOLUTION\n'
    assert [mutant.after for mutant in mutants(exercise(source))] == ['return {"größe 大小": (x)}']


def test_an_optional_exercise_has_no_points_to_lose():
    assert list(mutants(exercise(SOURCE, "stretch"))) == []
