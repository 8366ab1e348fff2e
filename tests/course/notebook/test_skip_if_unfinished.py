import pytest

from minitorch_course import once_written


def test_an_exercise_that_is_not_written_ends_the_block_with_one_line(capsys):
    with once_written():
        raise NotImplementedError("add the rows")
    assert capsys.readouterr().out == "This waits for an exercise above, which is not written yet: add the rows\n"


def test_other_errors_are_errors():
    with pytest.raises(ZeroDivisionError), once_written():
        raise ZeroDivisionError
