import itertools

import jax.numpy as jnp
import numpy as np
import pytest

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


@pytest.mark.parametrize("bits", [4, 8])
def test_the_error_is_at_most_half_a_scale_and_the_rounding_of_the_scale(bits):
    r = quantize_matrix(X, Scheme(bits=bits, group=32))
    scale = np.repeat(np.asarray(r.scale, np.float32), 32, axis=1)
    error = np.abs(np.asarray(dequantize(r, Scheme(bits=bits, group=32))) - X)
    assert (error <= scale * (0.5 + 2.0**-8 * 2 ** (bits - 1))).all()


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
    with pytest.raises(ValueError, match="further apart than float32 reaches"):
        quantize_matrix(np.array([[3e38, -3e38]], np.float32), Scheme(symmetric=False))
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
