import itertools
import re

import numpy as np
import pytest

from minitorch_course.answers.comparison import Tolerance
from minitorch_course.answers.diagnose import diagnose
from minitorch_course.answers.serialize import Unserializable

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 5)).astype(np.float32)
S = rng.normal(size=(4, 4)).astype(np.float32)
V = rng.normal(size=7).astype(np.float32)
P = np.abs(X) + 0.5
NAN, INF = float("nan"), float("inf")


def changed(array, places, new):
    array = array.copy()
    array[places] = new(array[places]) if callable(new) else new
    return array


CASES = {  # name: (given, expected, what the message says)
    "none": (None, X, "The result is None: does every path through the function end in `return`?"),
    "function": (Unserializable("function"), X,
        "is a function, where an array, float32 (3, 5), is expected. Is the call missing"),
    "tensor": (Unserializable("Tensor"), X, "A Tensor of minitorch exists only while a gradient is computed"),
    "generator": (Unserializable("generator"), [1, 2], "Round brackets"),
    "list for array": (list(V), V, "list of 7, where an array, float32 (7,), is expected: convert it to an array"),
    "tuple of one": ((1.0,), 1.0, "is there a comma too many?"),
    "number for list": (1.0, [1.0, 2.0], "The result is a float, where a list is expected."),
    "something for none": (1, None, "The result is an int, where None is expected."),
    "text": ("ab", "ba", "The text is 'ab'"),
    "number of parts": ([X], [X, V], "The result has 1 part, where 2 parts are expected."),
    "swapped": ((X, V), (V, X), "The two parts of the result are swapped."),
    "one part": ((V, 2 * X), (V, X),
        "Part 1 of the result (the others are right): Every number is too large by a factor"),
    "two parts": ((V, -V, -V), (V, V, V), "Part 1 of the result (2 of 3 parts are wrong): The sign is wrong"),
    "missing key": ({"w": 1}, {"w": 1, "b": 2}, "The dict lacks 'b'."),
    "extra key": ({"w": 1, "c": 2}, {"w": 1}, "The dict has 'c' too many."),
    "wrong entry": ({"w": -X, "b": V}, {"w": X, "b": V}, "Part 'w' of the result (the others are right): The sign"),
    # Shapes
    "transposed": (X.T, X,
        "The result has shape (5, 3), where (3, 5) is expected: the numbers are right, but the axes"),
    "axes in another order": (X.reshape(1, 3, 5).transpose(2, 0, 1), X.reshape(1, 3, 5),
        "the axes are in another order"),
    "transposed and wrong": (X.T + X.mean() * S[0, 0] * X.T**2, X, "is a transpose missing, or one too many?"),
    "reshaped, not transposed": (X.reshape(5, 3), X, "the numbers are in the right order: reshape it."),
    "flat": (X.ravel(), X, "the numbers are in the right order, but the shape is different"),
    "kept axis": (X.sum(1, keepdims=True), X.sum(1), "the numbers are right, but an axis of size 1 is kept"),
    "missing axis": (X.sum(1), X.sum(1, keepdims=True), "an axis of size 1 is missing (keepdims=True keeps it"),
    "reduced to a number": (X.sum(), X.sum(1), "all axes were reduced: is the argument `axis` missing?"),
    "not reduced": (X, X.mean(), "one number is expected: is a sum or a mean missing"),
    "axis lost": (X.sum(0), X, "an axis is missing: was it summed or averaged away"),
    "axis too many": (X, X.sum(0), "the result has one axis too many: is a sum, a mean or a max over it missing?"),
    "broadcast": (V[:, None] - V, V, "a column (7, 1) and a row (7,) were broadcast to a square."),
    "stretched axis": (X, X.sum(0, keepdims=True), "axis 0 should have size 1: was it broadcast"),
    "shrunk axis": (X[:1], X, "axis 0 has size 1: was it reduced"),
    "one too short": (V[1:], V, "axis 0 is one too short, so look for an off-by-one"),
    "one too long": (X, X[:, :4], "axis 1 is one too long"),
    "twice as long": (np.tile(V, 2), V, "axis 0 is twice as long as it should be"),
    "other axis": (X.sum(0), X.sum(1), "is it the right axis? Axis 0 has 5 entries instead of 3."),
    # Kinds of number
    "integers": (X.astype(np.int32), X,
        "The result is int32 (3, 5), where float32 (3, 5) is expected: is there an integer"),
    "python integer": (2, 2.0, "The result is a Python int, where a Python float is expected"),
    "mask": (X > 0, X, "it is a mask"),
    "float for index": (np.float32(2), np.int32(2), "indices and counts are integers"),
    "not complex": (1.0, 1j, "The result is a Python float, where a Python complex is expected."),
    # Numbers
    "nan": (changed(X, (1, 2), NAN), X, "The result contains NaN at [1, 2], where a finite number is expected."),
    "overflow": (changed(V, 3, INF), V, "an overflow (exp of a large number?)"),
    "infinity": (np.float32(INF), np.float32(1), "The result contains infinity, where"),
    "not infinite": (changed(V, 3, 0.0), changed(V, 3, -INF), "The result is 0 at [3]"),
    "zeros": (np.zeros_like(X), X, "All numbers of the result are 0: was an array of zeros created"),
    "zero": (0.0, 2.5, "The result is 0: is anything added to it?"),
    "constant": (np.full_like(X, 2), X, "All numbers of the result are 2: does it depend on the input?"),
    "sign": (-X, X, "The sign is wrong: every number is -1 times what it should be."),
    "twice": (2 * X, X, "too large by a factor of 2: is a 2 or a 1/2 missing"),
    "half": (0.5 * X, X, "too small by a factor of 2: is a 2 or a 1/2 missing"),
    "minus half": (-0.5 * X, X, "Every number has the wrong sign, and is too small by a factor of 2"),
    "sum for mean": (5 * X, X, "too large by a factor of 5 (the size of an axis): is something summed that should be"),
    "mean for sum": (X / 15, X, "too small by a factor of 15 (the size of an axis): is something averaged that should"),
    "sum for mean of a scalar": (7 * 0.3, 0.3, "The result is too large by a factor of 7: is something summed"),
    "root of a size": (X * 5**0.5, X, "too large by a factor of sqrt(5), and 5 is the size of an axis."),
    "bits for nats": (X / np.log(2), X, "is it a logarithm to a base other than e?"),
    "degrees": (np.degrees(X), X, "are these degrees where radians are meant"),
    "n - 1": (P * 5 / 4, P, "by a factor of 5/4: is it divided by N - 1"),
    "some factor": (3.7 * X, X, "is a factor or a division missing?"),
    "some factor of a zero": (np.float32(3.7) * changed(V, 2, 0.0), changed(V, 2, 0.0),
        "is a factor or a division missing?"),
    "offset": (X + 1, X, "Every number is too large by 1: is something added"),
    "small offset": (X - np.float32(0.37), X, "is something added, subtracted or left out everywhere?"),
    "off by one": (3, 4, "The result is one too small: look for an off-by-one."),
    "square transposed": (S.T, S, "rows and columns are swapped: it is transposed."),
    "transposed for reshaped": (X.reshape(5, 3).T, X, "was it transposed where it should be reshaped?"),
    "reshaped for transposed": (X.T.reshape(3, 5), X, "was it reshaped where it should be transposed?"),
    "reversed": (V[::-1], V, "The numbers are right, but in reversed order."),
    "reversed columns": (X[:, ::-1], X, "in reversed order along axis 1"),
    "rolled": (np.roll(V, 1), V, "shifted by one place: look for an off-by-one."),
    "late": (np.concatenate([[0], V[:-1]]).astype(np.float32), V, "The numbers come one place too late"),
    "early": (np.concatenate([V[1:], [0]]).astype(np.float32), V, "The numbers come one place too early"),
    "sorted": (np.sort(V), V, "The numbers are right, but in another order."),
    "rows permuted": (S[[2, 0, 3, 1]], S, "The numbers are right, but in another order along axis 0."),
    "squared": (P**2, P, "The result is the square of what is expected"),
    "rooted": (np.sqrt(P), P, "The result is the square root of what is expected."),
    "no logarithm": (np.exp(X), X, "is a logarithm missing?"),
    "no exp": (np.log(P), P, "is an exp missing?"),
    "upside down": (1 / P, P, "is a fraction upside down?"),
    "absolute": (np.abs(X), X, "The signs are lost"),
    "one minus": (1 - P, P, "The result is 1 minus what is expected."),
    "rounded down": (np.floor(5 * X), 5 * X, "rounded down: is there an integer division"),
    "factor per row": (P * S[:3, :1], P, "The numbers are right up to one factor for each row"),
    "summand per column": (X - X.mean(0), X, "The numbers are right up to one summand for each column"),
    "first row": (changed(X, np.s_[0], lambda x: x**2 + 3), X,
        "Right elsewhere, but in the first row the result is wrong"),
    "last column": (changed(X, np.s_[:, -1], lambda x: x**2 + 3), X, "Right elsewhere, but in the last column"),
    "last element": (changed(V, -1, 9), V, "Right elsewhere, but in the last element the result is wrong"),
    "ends": (changed(V, [0, -1], [3, 5]), V, "in the first and the last element the result is wrong"),
    "every second": (changed(V, np.s_[1::2], lambda x: x**2 + 3), V, "Right elsewhere, but in every second element"),
    "every other second": (changed(V, np.s_[::2], lambda x: x**2 + 3), V, "but in every other second element"),
    "diagonal": (changed(S, np.diag_indices(4), lambda x: x**2 + 3), S, "on the diagonal the result is wrong"),
    "off the diagonal": (np.diag(np.diag(S)), S, "Right on the diagonal, but elsewhere the result is 0"),
    "upper triangle": (np.tril(S), S, "Right elsewhere, but above the diagonal the result is 0, and should not be."),
    "negative answers": (np.maximum(X, 0), X,
        "Right elsewhere, but where the right answer is negative the result is 0"),
    "factor in a region": (changed(X, np.s_[0], lambda x: 2 * x), X,
        "There, every number is too large by a factor of 2"),
    "epsilon": (P * (1 + 3e-3 * np.sign(X)), P, "Only about two digits of the result are right"),
    "anything": (S[:3, :3] ** 2 + X[:, :3], X[:, :3], "Everywhere the number is wrong, first at [0, 0]"),
    "some places": (changed(X, ([0, 1, 2], [1, 3, 2]), [4, 5, 6]), X,
        "In 3 of 15 places the number is wrong, first at [0, 1]"),
    "a number": (3.3, 2.5, "The result is 3.3"),
    "integers that differ": (np.array([1, 5, 3]), np.array([1, 2, 3]), "at [1]: 5"),
    "complex": (1 + 2j, 3 + 1j, "The result is 1+2j"),
    "opposite": (X < 0, X >= 0, "Every truth value is the opposite"),
    "mask transposed": (np.triu(S < 9), np.tril(S < 9), "The mask is transposed"),
    "mask in a row": (changed(X > 0, np.s_[0], np.logical_not), X > 0,
        "Right elsewhere, but in the first row the truth value"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named(name):
    given, expected, says = CASES[name]
    message = diagnose(given, expected)
    assert message is not None
    assert says in message


@pytest.mark.parametrize("name", CASES)
def test_hidden_answers_stay_hidden(name):
    given, expected, _ = CASES[name]
    message = diagnose(given, expected, reveal=False) or ""
    assert "instead of" not in message or "entries instead of" in message
    shown = {f"{x:.4g}" for x in np.ravel(expected)} if isinstance(expected, np.ndarray) else set()
    own = {f"{x:.4g}" for x in np.ravel(given)} if isinstance(given, np.ndarray) else set()
    assert not (shown - own) & set(re.findall(r"-?\d+\.\d+", message))


def test_the_only_part_has_no_number():
    assert str(diagnose([-X], [X])).startswith("The sign is wrong")
    assert str(diagnose({"w": -X}, {"w": X})).startswith("The sign is wrong")


@pytest.mark.parametrize(("factor", "named"), [(4095, True), (4096, True), (4097, False)])
def test_a_large_integer_factor_is_named_up_to_a_limit(factor, named):
    message = str(diagnose((factor * V.astype(np.float64)), V.astype(np.float64)))
    assert (f"too large by a factor of {factor}" in message) == named
    assert ("is a factor or a division missing?" in message) != named


def test_the_expected_number_is_named_only_if_it_may_be_revealed():
    given = changed(X, (0, 1), 9.0)
    assert "at [0, 1]: 9 instead of" in str(diagnose(given, X))
    assert str(diagnose(given, X, reveal=False)).endswith("at [0, 1]: 9.")
    assert "2.5 is expected" in str(diagnose(3.3, 2.5))
    assert "which is wrong" in str(diagnose(3.3, 2.5, reveal=False))
    assert "'ba'" not in str(diagnose("ab", "ba", reveal=False))


def test_a_right_answer_has_no_message():
    assert diagnose(X + 1e-7, X) is None


def test_a_foreseen_mistake_has_its_own_message():
    mistakes = {"Over axis 1.": X.sum(1), "Over axis 0.": X.sum(0)}
    assert diagnose(X.sum(0), X.sum(), mistakes) == "Over axis 0."
    assert diagnose(X.sum(), X.sum(), {"never": X.sum()}) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (X, "The result is `x` itself, unchanged"),
        (np.where(X < 0, 0.3 * X, X), "Right elsewhere, but where `x` is negative"),
        (np.where(X > 0, 3 * X**2, 0), "Right elsewhere, but where `x` is positive"),
    ],
)
def test_inputs_are_called_by_their_names(given, says):
    assert says in str(diagnose(given, np.maximum(X, 0), inputs={"`w`": V, "`x`": X}))


def test_zeros_of_an_input_are_named():
    x = changed(V, [1, 4], 0.0)
    given = changed(np.ones_like(x), [1, 4], 0.5) * np.where(x < 0, -1, 1).astype(np.float32)
    expected = np.where(x < 0, -1, 1).astype(np.float32)
    assert "where `x` is 0" in str(diagnose(given, expected, inputs={"`x`": x}))


def test_a_demanded_dtype_is_named():
    message = diagnose(X.astype(np.float64), X, tolerance=Tolerance(dtype=True))
    assert message == "The dtype is float64, where float32 is expected."


ZOO = [given for given, _, _ in CASES.values()] + [
    2**3000, -(2**70), True, "", [], (), {}, [[[]]], np.zeros((0, 3)), np.zeros((3, 0)), np.float32(NAN), 1e300, -1e300,
    np.full((3, 5), NAN), np.array([1j, 2j]), np.array([2**63], np.uint64), np.array(7), {"a": [None, {"b": X}]},
    np.zeros((1, 1, 1, 1, 1, 1, 1)), complex(NAN, INF), Unserializable("x" * 1000),
]  # fmt: skip


def test_any_pair_of_values_has_a_message_or_none():
    strange = ZOO[::3] + ZOO[-21:]
    for given, expected in itertools.product(strange, strange):
        for tolerance in (Tolerance(), Tolerance(10.0, 1e9, dtype=True)):
            message = diagnose(given, expected, tolerance=tolerance, inputs={"x": X}, reveal=False)
            assert message is None or message.endswith((".", "?")), (given, expected, message)
