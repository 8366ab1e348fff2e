import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minitorch as mt
from minitorch.compress import packed
from minitorch.compress.packed import PackedMatrix, matmul
from minitorch.compress.scheme import Scheme, dequantize, quantize_matrix

RNG = np.random.default_rng(0)
W = RNG.normal(size=(12, 128)).astype(np.float32)
SCHEMES = {
    "int8": Scheme(),
    "int8 in groups, affine": Scheme(group=32, symmetric=False),
    "one scale": Scheme(group="tensor"),
    "int4": Scheme(bits=4, group=64),
    "int4, one scale a row, affine": Scheme(bits=4, symmetric=False),
    "int4, one scale": Scheme(bits=4, group="tensor"),
    "nf4": Scheme(bits=4, group=32, levels="nf4"),
}


@pytest.fixture(params=SCHEMES)
def scheme(request):
    return SCHEMES[request.param]


def test_packing_loses_nothing(scheme):
    quantized = quantize_matrix(W, scheme)
    matrix = PackedMatrix.pack(quantized, scheme)
    np.testing.assert_array_equal(matrix.unpack().codes, quantized.codes)
    np.testing.assert_array_equal(matrix.dequantize(), dequantize(quantized, scheme))
    assert matrix.shape == W.shape
    assert matrix.codes.nbytes == W.size * scheme.bits // 8


@pytest.mark.parametrize("shape", [(128,), (1, 1, 128), (3, 128), (2, 4, 128)])
def test_matmul_equals_that_with_the_dequantized_matrix(scheme, shape, monkeypatch):
    monkeypatch.setattr(packed, "CHUNK", 5 * 128)  # 12 rows: two chunks, and two more rows
    monkeypatch.setattr(packed, "FUSED_INPUTS", 48)
    x, matrix = RNG.normal(size=shape).astype(np.float32), PackedMatrix.quantize(W, scheme)
    y = jax.jit(lambda x, matrix: matmul(x, matrix))(x, matrix)  # A new function, which sees the patched constants.
    np.testing.assert_allclose(y, x @ np.asarray(matrix.dequantize()).T, atol=2e-4)


@pytest.mark.parametrize("vectors", [1, 6])
def test_the_gradient_of_the_input_equals_that_with_the_dequantized_matrix(vectors):
    x, matrix = jnp.asarray(RNG.normal(size=(vectors, 128)), jnp.float32), PackedMatrix.quantize(W, SCHEMES["int4"])
    truth = jax.grad(lambda x: (jnp.sin(x @ matrix.dequantize().T)).sum())(x)
    for grad, sin in ((mt.grad, mt.ops.sin), (jax.grad, jnp.sin)):
        np.testing.assert_allclose(grad(lambda x, sin=sin: sin(matmul(x, matrix)).sum())(x), truth, atol=1e-4)


def test_rows_are_looked_up_and_rows_out_of_range_are_nan(scheme):
    matrix = PackedMatrix.quantize(W, scheme)
    ids = jnp.array([[3, 11], [0, 3]])
    np.testing.assert_array_equal(matrix.take(ids), matrix.dequantize()[ids])
    assert np.isnan(matrix.take(jnp.array([12, -1]))).all()
    with pytest.raises(TypeError, match="QuantizedEmbedding looks up integers"):
        matrix.take(jnp.array([1.0]))


def test_a_dynamic_scheme_multiplies_integers():
    scheme = Scheme(dynamic=True)
    x, matrix = RNG.normal(size=(3, 128)).astype(np.float32), PackedMatrix.quantize(W, scheme)
    extent = np.abs(x).max(axis=1, keepdims=True) / 127
    whole = np.round(x / extent).astype(np.int64) @ np.asarray(matrix.codes, np.int64).T
    expected = whole * extent * np.asarray(matrix.scale, np.float32)[:, 0]
    np.testing.assert_allclose(matmul(jnp.asarray(x), matrix), expected, rtol=1e-5)
    assert not matmul(jnp.zeros((1, 128)), matrix).any()
    assert np.isnan(matmul(jnp.full((1, 128), jnp.nan), matrix)).all()


@pytest.fixture
def compiled_well():
    """Turn on the optimizations, fusion among them, that tests/conftest.py turns off."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.mark.parametrize(("name", "inputs"), [("int8", 8192), ("int4", 384)])
def test_no_float32_copy_of_a_matrix_is_written_for_a_token(name, inputs, compiled_well):
    w = RNG.normal(size=(512, inputs)).astype(np.float32)
    matrix, x = PackedMatrix.quantize(w, SCHEMES[name]), jnp.ones((1, inputs))

    def in_a_loop(x, matrix):  # XLA moves loop-invariant code before the loop.
        return jax.lax.fori_loop(0, 3, lambda i, x: x * matmul(x, matrix).mean(), x)

    written = jax.jit(in_a_loop).lower(x, matrix).compile().memory_analysis()
    assert written.temp_size_in_bytes < w.nbytes / 10
    unfused = jax.jit(lambda x, m: m.dequantize() @ x[0]).lower(x, matrix).compile()
    assert unfused.memory_analysis().temp_size_in_bytes >= w.nbytes  # The measurement does see a copy.
