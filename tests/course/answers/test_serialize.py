import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch_course.answers.comparison import Tolerance, same
from minitorch_course.answers.serialize import DEPTH, LIMIT, Unserializable, decode, describe, encode, to_plain

NAN, INF = float("nan"), float("inf")
VALUES = [
    None, True, 3, -(2**80), 0.1, -0.0, NAN, INF, 1 - 2j, "", "häß\n", [1, (2.0, "x")], (), {"a": 1, 2: [None]},
    np.arange(6, dtype=np.int8).reshape(2, 3), np.array([1.5, 2], ">f4"), np.zeros((0, 3)), np.float32(0.1),
    np.array([2**64 - 1], np.uint64), np.array([1 + 2j]), np.array([True, False]), np.asfortranarray(np.eye(3)[:, :2]),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_sent(value):
    back = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
    assert repr(back) == repr(to_plain(value))
    assert same(back, to_plain(value), Tolerance(0.0, 0.0, dtype=True))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "int32", "uint8", "bool", "complex64"])
def test_arrays_of_jax_come_back_bit_for_bit(dtype):
    x = jnp.asarray(np.linspace(-3, 3, 7)).astype(dtype)
    back = decode(encode(x))
    assert back.dtype == x.dtype
    assert back.tobytes() == np.asarray(x).tobytes()


def test_an_unserializable_value_is_decoded_as_its_kind():
    def traced(x):
        seen.append(to_plain(x))
        return x

    seen = []
    jax.jit(traced)(1.0)
    for value in (len, object(), jax.random.key(0), np.array(["a"]), np.array([object()]), {(1, 2): 3}, seen[0]):
        assert isinstance(decode(encode(value)), Unserializable)
    assert decode(encode(np.zeros(LIMIT, np.int8))).kind == f"int8 ({LIMIT},), too large to send"


def test_subclasses_of_arrays_and_numbers_are_reduced_to_what_they_hold():
    class Liar(np.ndarray):
        def __eq__(self, other):
            return True

        def __array__(self, *args, **kwargs):
            return np.ones(3)

    class Number(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    assert type(to_plain(np.zeros(3).view(Liar))) is np.ndarray
    assert not same(to_plain(np.zeros(3).view(Liar)), np.ones(3))
    assert type(to_plain(Number(2.0))) is float


def test_a_list_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="nested more than"):
        encode(loop)


def array(**changes):
    return {"array": "float32", "shape": [2], "data": "AAAAAAAAAAA="} | changes


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = [
    3, 0.5, {}, {"a": 1, "b": 2}, {"pickle": "gASV"}, {"int": 3}, {"int": "x"}, {"int": None},
    {"float": "0x1p99999999"},
    {"float": "one"}, {"complex": ["0x1p0"]}, {"tuple": 3}, {"tuple": "ab"}, {"dict": [[1]]}, {"dict": [[[], 1]]},
    {"dict": 3}, {"unserializable": 1}, array(array="object"), array(array="<U4"), array(array=["float32"]),
    array(shape=[3]), array(shape=[-2]), array(shape=[True]), array(shape=2), array(shape=[2.0]),
    array(shape=[0, 2**62]),
    array(shape=[1] * 40), array(data="!!!"), array(data=3), array(data="AAAA"), {"array": "float32"}, nested(2000),
    [None] * 1000, "x" * 5000, {"int": "0x" + "f" * 5000},
]  # fmt: skip


def test_containers_may_be_nested_up_to_the_limit_and_no_deeper():
    assert decode(encode(nested(DEPTH))) == nested(DEPTH)
    with pytest.raises(ValueError, match=f"nested more than {DEPTH} deep"):
        encode(nested(DEPTH + 1))
    with pytest.raises(ValueError, match=f"nested more than {DEPTH} deep"):
        decode(nested(DEPTH + 1))


def test_bytes_that_do_not_fit_the_shape_are_named():
    with pytest.raises(ValueError, match=r"An array of float32 with shape \[3\] does not have 8 bytes"):
        decode(array(shape=[3]))


@pytest.mark.parametrize("encoded", HOSTILE, ids=range(len(HOSTILE)))
def test_a_malformed_encoding_is_a_value_error(encoded):
    with pytest.raises(ValueError):  # noqa: PT011  # Each has its own message.
        decode(encoded, limit=5000)


def test_the_bytes_of_truth_values_may_be_anything():
    back = decode(array(array="bool", shape=[3], data="AAL/"))
    assert back.tolist() == [False, True, True]
    assert same(back, np.array([False, True, True]))


def test_the_limit_counts_all_there_is():
    with pytest.raises(ValueError, match="too large"):
        decode(encode([np.zeros(100)] * 10), limit=2000)


@pytest.mark.parametrize("value", [{"k" * 300: 1}, [{"k" * 300: 1}] * 4])
def test_a_description_is_bounded(value):
    assert len(describe(value)) <= 200


def test_the_description_of_a_long_dict_is_cut_at_the_limit():
    assert describe({"k" * 300: 1}) == "dict of " + "k" * 192


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((3, 5), np.float32), "float32 (3, 5)"),
        (np.float32(1), "float32 ()"),
        (2.0, "float"),
        (None, "None"),
        ((1, [2.0]), "tuple of 2 (int, list of 1 (float))"),
        ([0] * 9, "list of 9"),
        ({"w": 1, "b": 2}, "dict of w, b"),
        (Unserializable("function"), "function"),
    ],
)
def test_a_description_holds_no_numbers(value, text):
    assert describe(to_plain(value)) == text
