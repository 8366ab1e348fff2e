import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minitorch.compress import gguf

peer = pytest.importorskip("gguf")
FORMATS = {
    "Q8_0": (gguf.to_q8_0, gguf.from_q8_0, peer.GGMLQuantizationType.Q8_0),
    "Q4_0": (gguf.to_q4_0, gguf.from_q4_0, peer.GGMLQuantizationType.Q4_0),
}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    x=arrays(np.float32, (3, 64), elements=st.floats(-1000, 1000, width=16)),
    seed=st.integers(0, 1000),
    size=st.sampled_from([1e-6, 1e-3, 1.0, 1e4]),
)
def test_blocks_equal_those_of_the_gguf_package_bit_for_bit(name, x, seed, size):
    ours, back, theirs = FORMATS[name]
    normal = (np.random.default_rng(seed).normal(0, size, (4, 96))).astype(np.float32)
    for array in (x, normal):
        data = ours(array)
        np.testing.assert_array_equal(data, peer.quants.quantize(array, theirs))
        np.testing.assert_array_equal(back(data), peer.quants.dequantize(data, theirs))


@pytest.mark.parametrize("name", FORMATS)
def test_a_block_of_zeros_stays_zero(name):
    ours, back, _ = FORMATS[name]
    assert not back(ours(np.zeros((1, 32)))).any()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 40)), "blocks of 32 do not divide"),
        (np.full((1, 32), np.nan), "NaN, infinite"),
        (np.full((1, 32), np.inf), "NaN, infinite"),
    ],
)
def test_arrays_without_a_block_form_raise(name, x, message):
    with pytest.raises(ValueError, match=message):
        FORMATS[name][0](x)


@pytest.mark.parametrize(("name", "size"), [("Q8_0", 34), ("Q4_0", 18)])
def test_bytes_that_are_not_whole_blocks_raise(name, size):
    with pytest.raises(ValueError, match=rf"a block is {size} bytes \(uint8\)"):
        FORMATS[name][1](np.zeros(size + 1, np.uint8))
