import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.compress.packed import quantize_rows
from minitorch.compress.qat import fake_quantize, fake_quantize_rows
from minitorch.compress.scheme import NF4_LEVELS, Scheme, dequantize, quantize_matrix

X = np.random.default_rng(0).normal(0, 0.1, (6, 128)).astype(np.float32)
NF4 = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


def roundtrip(x, **settings):
    """Quantize `x` and dequantize it."""
    scheme = Scheme(**settings)
    return np.asarray(dequantize(quantize_matrix(x, scheme), scheme))


def by_hand(x, bits, group, symmetric):
    """Compute the definition, one group at a time."""
    y = np.empty_like(x)
    size = {"tensor": x.size, "channel": x.shape[1]}.get(group, group)
    for old, new in zip(x.reshape(-1, size), y.reshape(-1, size), strict=True):
        top = 2 ** (bits - 1) - 1
        low, zero = (-top, 0) if symmetric else (-top - 1, None)
        extent = np.abs(old).max() / top if symmetric else (max(old.max(), 0) - min(old.min(), 0)) / (2**bits - 1)
        scale = np.float32(jnp.float32(extent).astype(jnp.bfloat16))
        if not symmetric and scale < np.float32(extent):  # rounded up, to cover both ends
            scale = np.float32(np.nextafter(jnp.bfloat16(scale), jnp.bfloat16(np.inf)))
        zero = np.clip(np.round(low - min(old.min(), 0) / scale), low, top) if zero is None else zero
        new[:] = scale * (np.clip(np.round(old / scale) + zero, low, top) - zero)
    return y


@pytest.mark.parametrize(
    ("bits", "group", "symmetric"), [*itertools.product([4, 8], ["tensor", "channel", 32, 64, 128], [True, False])]
)
def test_quantization_equals_its_definition(bits, group, symmetric):
    x = X + (0 if symmetric else 0.15)
    y = roundtrip(x, bits=bits, group=group, symmetric=symmetric)
    np.testing.assert_allclose(y, by_hand(x, bits, group, symmetric), atol=1e-7)


@st.composite
def matrices(draw):
    """Matrices (R, 64): rows of all sizes that float32 has, of one sign, constant, sparse, or nothing but zeros."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = st.sampled_from([1e-45, 1e-39, 1.2e-38, 1e-36, 1e-20, 1e-3, 1.0, 1e3, 1e20, 4.2e37])

    def row(kind, size):
        x = np.clip(rng.normal(0, 0.4, 64), -1, 1)
        x = {
            "normal": x,
            "one sign": np.abs(x) * rng.choice([-1, 1]),
            "constant": np.full(64, rng.choice([-1, 1])),
            "sparse": x * (rng.random(64) < 0.05),
            "outlier": np.where(np.arange(64) == 7, rng.choice([-1, 1]), x * 1e-3),
            "zeros": 0 * x,
        }[kind]
        return x * size * (0.5 if kind in ("normal", "sparse", "outlier") else 1)  # Both signs span twice the size.

    kinds = st.sampled_from(["normal", "one sign", "constant", "sparse", "outlier", "zeros"])
    rows = [row(kind, size) for kind, size in draw(st.lists(st.tuples(kinds, sizes), min_size=1, max_size=3))]
    x = np.array(rows, np.float32)
    dtype = draw(st.sampled_from([np.float32, np.float16, jnp.bfloat16]))
    with np.errstate(over="ignore"):
        return x.astype(dtype) if np.isfinite(x.astype(dtype).astype(np.float32)).all() else x


EVEN = [
    dict(bits=bits, group=group, symmetric=symmetric, range=range_)
    for bits, group, symmetric, range_ in itertools.product(
        [4, 8], ["tensor", "channel", 32], [True, False], ["absmax", "percentile", "mse"]
    )
]
SCHEMES = [*EVEN, *(dict(bits=4, levels="nf4", group=group) for group in ("tensor", "channel", 64))]


@pytest.mark.parametrize("options", SCHEMES, ids=lambda options: " ".join(map(str, options.values())))
@settings(max_examples=6, deadline=None)
@given(matrices())
def test_the_error_is_at_most_half_a_scale_for_all_that_the_codes_cover(options, x):
    scheme = Scheme(**options)
    quantized = quantize_matrix(x, scheme)
    y = np.asarray(dequantize(quantized, scheme), np.float64)
    codes, scale = np.asarray(quantized.codes, int), np.asarray(quantized.scale, np.float64)
    scale = np.broadcast_to(scale[..., None], (*scale.shape, x.size // scale.size)).reshape(x.shape)
    assert np.isfinite(y).all()
    assert scheme.lowest <= codes.min() <= codes.max() <= scheme.highest
    error = np.abs(y - np.asarray(x, np.float64))
    covered = (codes > scheme.lowest) & (codes < scheme.highest) | (scheme.range == "absmax")
    share = 0.152 if scheme.levels == "nf4" else 0.5001  # The quotient is rounded, too.
    assert (error <= share * scale + 2.0**-126)[covered].all()


@settings(max_examples=20, deadline=None)
@given(matrices())
def test_the_error_of_activations_is_at_most_half_a_scale(x):
    codes, scale, _ = quantize_rows(jnp.asarray(x))
    assert np.abs(np.asarray(codes, int)).max() <= 127
    error = np.abs(np.asarray(codes, np.float64) * np.asarray(scale, np.float64) - np.asarray(x, np.float64))
    assert (error <= 0.5001 * np.asarray(scale, np.float64) + 2.0**-126).all()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_learners_in_half_precision_compute_with_the_codes_of_the_quantized_layers(dtype):
    x = jnp.asarray(X, dtype)
    for options in ({}, dict(symmetric=False), dict(bits=4, group=32), dict(bits=4, levels="nf4", group=64)):
        expected = jnp.asarray(roundtrip(x, **options), dtype)
        np.testing.assert_array_equal(fake_quantize(x, Scheme(**options)), expected)
    codes, scale, _ = quantize_rows(x.astype(jnp.float32))
    np.testing.assert_array_equal(fake_quantize_rows(x), (codes * scale).astype(dtype))


def test_an_affine_scheme_spends_no_codes_on_an_unused_range():
    x = np.abs(X)
    assert (
        np.square(roundtrip(x, bits=4, symmetric=False) - x).mean() < 0.4 * np.square(roundtrip(x, bits=4) - x).mean()
    )


def test_smaller_groups_have_smaller_errors():
    errors = [np.square(roundtrip(X, bits=4, group=g) - X).mean() for g in ("tensor", "channel", 64, 32)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_mse_range_has_a_smaller_error_than_the_full_range(symmetric):
    options = dict(bits=4, group="channel", symmetric=symmetric)
    best, whole = (np.square(roundtrip(X, **options, range=r) - X).sum(axis=1) for r in ("mse", "absmax"))
    assert (best <= whole).all()
    assert best.sum() < 0.95 * whole.sum()


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_percentile_clips_outliers_and_keeps_the_others_precise(symmetric):
    x = X.copy()
    x[:, 0] = 50.0
    y = roundtrip(x, range="percentile", outliers=0.02, symmetric=symmetric)
    assert (y[:, 0] < 10).all()
    others = [np.square(z - x)[:, 1:].mean() for z in (y, roundtrip(x, symmetric=symmetric))]
    assert others[0] < others[1] / 25


def test_nf4_has_the_published_levels():
    np.testing.assert_allclose(NF4_LEVELS, NF4, atol=1e-6)


def test_nf4_takes_the_nearest_level():
    y = roundtrip(X, bits=4, group=64, levels="nf4").reshape(-1, 64)
    x = X.reshape(-1, 64)
    scale = np.asarray(jnp.asarray(np.abs(x).max(1)).astype(jnp.bfloat16), np.float32)[:, None, None]
    distances = np.abs(x[..., None] - scale * np.array(NF4, np.float32))
    np.testing.assert_allclose(np.abs(x - y), distances.min(-1), atol=1e-6)


@pytest.mark.parametrize(
    "settings", [dict(), dict(bits=4, group=32), dict(symmetric=False), dict(bits=4, levels="nf4")]
)
def test_an_all_zero_row_stays_zero(settings):
    x = X.copy()
    x[2] = 0
    assert not roundtrip(x, **settings)[2].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_without_a_code_are_refused(bad):
    x = X.copy()
    x[1, 2] = bad
    for wide, options in (([6e37, -6e37], dict(symmetric=False)), ([3.4e38, 3.4e38], dict(symmetric=False))):
        with pytest.raises(ValueError, match=r"span more than 8.5e\+37: look for wrong values"):
            quantize_matrix(np.array([wide], np.float32), Scheme(**options))
    for options in ({}, dict(bits=4, levels="nf4")):
        with pytest.raises(ValueError, match=r"span more than 8.5e\+37: look for wrong values"):
            quantize_matrix(np.array([[1e38, 0]], np.float32), Scheme(**options))
    with pytest.raises(ValueError, match="1 of 768 numbers are NaN or infinite"):
        quantize_matrix(x, Scheme())


def test_widths_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"groups of 64 do not divide a width of 96: use groups of 32 instead"):
        quantize_matrix(X[:, :96], Scheme(group=64))
    with pytest.raises(ValueError, match=r"groups of 64 do not divide a width of 20: use 'channel' instead"):
        quantize_matrix(X[:, :20], Scheme(group=64))
    with pytest.raises(ValueError, match="odd"):
        quantize_matrix(X[:, :9], Scheme(bits=4))
    with pytest.raises(ValueError, match=r"only a matrix can be quantized, and not an array of shape \(128,\)"):
        quantize_matrix(X[0], Scheme())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(bits=3), "bits are 4 or 8, and not 3"),
        (dict(group=48), "group is 'tensor'"),
        (dict(range="max"), "range is one of"),
        (dict(outliers=0.0), "outliers is a share"),
        (dict(levels="nf3"), "levels are"),
        (dict(levels="nf4"), "NF4 is symmetric and has 4 bits"),
        (dict(dynamic=True, bits=4), "dynamic activations need"),
    ],
)
def test_impossible_schemes_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Scheme(**wrong)
