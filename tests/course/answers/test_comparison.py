import jax.numpy as jnp
import numpy as np
import pytest

from minitorch_course.answers.comparison import Tolerance, same
from minitorch_course.answers.serialize import Unserializable, dtype_of, to_plain

NAN, INF = float("nan"), float("inf")

RIGHT = [
    (1.0, np.float32(1)),
    (np.ones(3, np.float32), np.ones(3)),
    (np.float32(1.00005), 1.0),
    ([1, 2], (1, 2)),
    (NAN, NAN),
    (np.array([INF, -INF, NAN]), np.array([INF, -INF, NAN])),
    (np.array([1e6, 0.5]), np.array([1e6, 0.0], np.float32)),  # Half a millionth of the largest: a rounding error.
    (2**70, 2**70),
    (np.array([2**63], np.uint64), 2 ** np.array([63], np.uint64)),
    (1 + 2j, np.complex64(1 + 2j)),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
]
WRONG = [
    (1, 1.0),
    (1.0, 1),
    (True, 1),
    (1.0, True),
    (1.0 + 0j, 1.0),
    (np.ones(3), np.ones((3, 1))),
    (np.ones(1), 1.0),
    (0.0, NAN),
    (NAN, 0.0),
    (INF, -INF),
    (1e308, INF),
    (INF, 1e308),
    (NAN, INF),
    (np.array([NAN, 1.0]), np.array([1.0, NAN])),
    (complex(1, NAN), complex(NAN, 1)),
    (complex(INF, 1), complex(INF, 2)),
    (np.array([2**63 - 1]), np.array([2**63 - 2])),  # Equal as float64.
    (2**70, 2**70 + 1),
    ([1, 2], [1, 2, 3]),
    ([1], {"0": 1}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ("1", 1),
    (None, 0.0),
    (Unserializable("function"), Unserializable("function")),
    (np.asarray(jnp.ones(3, jnp.bfloat16) * 1.01), np.ones(3, np.float32)),  # A coarse dtype does not loosen it.
    (np.ones(3, np.float16) * np.float16(1.005), np.ones(3)),
]


@pytest.mark.parametrize(("given", "expected"), RIGHT)
def test_right(given, expected):
    assert same(to_plain(given), to_plain(expected))


@pytest.mark.parametrize(("given", "expected"), WRONG)
def test_wrong(given, expected):
    assert not same(to_plain(given), to_plain(expected))


@pytest.mark.parametrize(
    ("dtype", "right", "wrong"),
    [("float64", 1 + 1e-8, 1 + 1e-6), ("float32", 1 + 5e-5, 1 + 1e-3), ("bfloat16", 1 + 1 / 64, 1 + 1 / 8)],
)
def test_the_tolerance_follows_the_dtype(dtype, right, wrong):
    one, near, far = (np.asarray(x, dtype_of(dtype)) for x in (1.0, right, wrong))
    assert same(to_plain(near), to_plain(one))
    assert not same(to_plain(far), to_plain(one))


def test_a_stated_tolerance_counts_instead():
    assert same(1.05, 1.0, Tolerance(rtol=0.1))
    assert not same(1.0 + 1e-6, 1.0, Tolerance(rtol=0.0, atol=0.0))
    assert same(1e-3, 0.0, Tolerance(atol=1e-2))


def test_a_dtype_can_be_demanded():
    exact = Tolerance(dtype=True)
    assert same(np.float32([1]), np.float32([1]), exact)
    assert not same(np.float64([1]), np.float32([1]), exact)
    assert not same(to_plain(jnp.ones(1, jnp.int16)), to_plain(jnp.ones(1, jnp.int32)), exact)


def test_integers_beyond_floating_point_are_compared_all_the_same():
    assert not same(2**5000, 1)
    assert not same(-(2**5000), 1.0)
    assert same(1e300, 1e300)
    assert not same(2**900, 2.0**900)
