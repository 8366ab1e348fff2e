import pytest

from minitorch_course import skip_if_unfinished


def test_an_unfinished_exercise_ends_the_block_with_one_line(capsys):
    with skip_if_unfinished():
        raise NotImplementedError("add the rows")
    assert capsys.readouterr().out == "Skipped: an exercise above is not written yet: add the rows\n"


def test_other_errors_are_raised():
    with pytest.raises(ZeroDivisionError), skip_if_unfinished():
        raise ZeroDivisionError
