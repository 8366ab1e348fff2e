"""The verdict on a hidden test."""

import numpy as np
import pytest

from minitorch_course.answers.serialize import encode
from minitorch_course.author.verdict import PROCESS_ENDED, Stop, Verdict, after_exercise, stopped_by, verdict

ERROR = Stop("error", "There is a division by zero.")


def value(number, **key):
    tolerance = {"rtol": None, "atol": None, "dtype": False}
    return {"value": encode(np.float32(number)), "mistakes": [], "inputs": [], "tolerance": tolerance} | key


KEY = [value(1.0), value(2.0, mistakes=[["It is doubled.", encode(np.float32(4.0))]])]


def test_the_values_of_the_key_pass():
    assert verdict([value(1.0), value(2.0)], KEY) == Verdict("passed")


def test_a_wrong_value_is_described_without_its_number():
    judged = verdict([value(1.0), value(4.0)], KEY)
    assert judged == Verdict("wrong", "It is doubled.", "float32 ()", "float32 ()")
    assert (judged.passed, judged.reason) == (False, "It is doubled.")


def test_a_wrong_value_counts_before_the_error_after_it():
    assert verdict([value(1.0), value(4.0)], KEY, ERROR).status == "wrong"


def test_an_error_counts_before_missing_and_extra_values():
    assert verdict([value(1.0)], KEY, ERROR) == Verdict("error", error="There is a division by zero.")
    assert verdict([value(1.0), value(2.0)], KEY, ERROR).reason == "There is a division by zero."


@pytest.mark.parametrize("values", [[], KEY[:1], [*KEY, KEY[0]]])
def test_missing_and_extra_values_are_counted(values):
    assert verdict(values, KEY) == Verdict("wrong", f"Values reported: {len(values)}; expected: 2.")


@pytest.mark.parametrize("forged", [None, 3, "a", [], {}, {"value": {"int": "x"}}, {"value": [[[[]]]] * 3}])
def test_a_malformed_value_is_wrong(forged):
    assert verdict([forged], KEY[:1]).status == "wrong"


def test_messages_hold_no_memory_addresses_and_have_a_limit():
    assert stopped_by("ValueError", "<object at 0x7f00aabbccdd>" + "x" * 9999).reason.startswith("<object at 0x...>")
    assert len(stopped_by("ValueError", "x" * 9999).reason) == 2000
    assert stopped_by("SystemExit", None).reason == "The cell was ended by SystemExit."


def test_the_error_of_the_exercises_own_cell_comes_first():
    test = verdict([], KEY, ERROR)
    assert after_exercise(test, "softmax", PROCESS_ENDED).error == (
        "The cell of softmax stopped, so some of its definitions are missing."
        f" {PROCESS_ENDED.reason}\nThere is a division by zero."
    )
    assert after_exercise(test, "softmax", None) == test
    passed = verdict(KEY, KEY)
    assert after_exercise(passed, "softmax", PROCESS_ENDED) == passed
