"""Cross entropy and attention beyond the table of cases: -inf, targets outside, and masks of every kind."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle import arrays, assert_as_jax

from minitorch import ops
from minitorch.autodiff import check_grads, grad, vjp
from minitorch.ops.fused import SHORT

INF = np.inf
optax_losses = optax.softmax_cross_entropy_with_integer_labels


def total(losses, targets):
    return lambda logits: losses(logits, targets).sum()


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(hnp.arrays(np.float32, (3, 5), elements=st.sampled_from([-INF, -2.0, -0.5, 0.0, 1.0, 60.0])), st.integers(0, 4))
def test_a_class_at_minus_infinity_has_no_probability(logits, target):
    logits, targets = jnp.asarray(logits), jnp.full(3, target)
    np.testing.assert_allclose(ops.cross_entropy(logits, targets), optax_losses(logits, targets), rtol=1e-5, atol=1e-5)
    expected = jax.grad(total(optax_losses, targets))(logits)
    for differentiate in (grad, jax.grad):
        np.testing.assert_allclose(differentiate(total(ops.cross_entropy, targets))(logits), expected, atol=1e-6)


@pytest.mark.parametrize("target", [-(2**31), -101, -100, -7, -1, 7, 8, 300, 2**31 - 1])
def test_a_target_outside_the_classes_gives_nan_and_the_gradient_of_optax(target):
    (logits,), targets = arrays((3, 7)), jnp.array([2, target, 0])
    np.testing.assert_array_equal(np.isnan(ops.cross_entropy(logits, targets)), [False, True, False])
    expected = jax.grad(total(optax_losses, jnp.array([2, 99, 0])))(logits)
    for differentiate in (grad, jax.grad):
        np.testing.assert_allclose(differentiate(total(ops.cross_entropy, targets))(logits), expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "uint32"])
@pytest.mark.parametrize("classes", [127, 128, 256, 300])
def test_targets_of_every_integer_type_equal_those_of_int32(dtype, classes):
    (logits,) = arrays((6, classes))
    small = np.array([0, 5, 99, 126, 127, -1 % 256 if dtype.startswith("u") else -1]).astype(dtype)
    for fun in (ops.cross_entropy, lambda x, ids: grad(total(ops.cross_entropy, ids))(x)):
        np.testing.assert_array_equal(fun(logits, jnp.asarray(small)), fun(logits, jnp.asarray(small, jnp.int32)))


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("targets", "error", "says"),
    [
        (jnp.array([1.0, 2.0]), TypeError, "integer targets .* their dtype is float32"),
        (jnp.array([True, False]), TypeError, "their dtype is bool"),
        (jnp.array(1), ValueError, r"logits \(2, 7\) and targets \(\): one target"),
        (jnp.array([1]), ValueError, r"targets \(1,\)"),
        (jnp.array([[1], [2]]), ValueError, r"targets \(2, 1\)"),
        (jnp.zeros((2, 7), int), ValueError, r"targets \(2, 7\): one target, a class number and not a one-hot row"),
    ],
)
def test_targets_that_are_not_one_class_for_each_row_are_refused(targets, error, says):
    for fun in (lambda x: ops.cross_entropy(x, targets).sum(), grad(lambda x: ops.cross_entropy(x, targets).sum())):
        with pytest.raises(error, match=says):
            fun(jnp.ones((2, 7)))


@pytest.mark.parametrize("epsilon", [None, 1e-3, 0.5])
def test_norms_equal_their_formula_where_epsilon_matters(epsilon):
    (x, scale, bias), given = arrays((4, 5), (5,), (5,)), {} if epsilon is None else {"epsilon": epsilon}
    x = x * jnp.array([[1e-3], [1e-2], [1.0], [100.0]])
    wide = np.asarray(x, np.float64)
    rms = wide / np.sqrt((wide**2).mean(-1, keepdims=True) + (epsilon or 1e-6))
    np.testing.assert_allclose(ops.rms_norm(x, scale, **given), rms * scale, rtol=1e-4)
    normal = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + (epsilon or 1e-5))
    np.testing.assert_allclose(ops.layer_norm(x, scale, **given), normal * scale, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ops.layer_norm(x, scale, bias, **given), normal * scale + bias, rtol=1e-4, atol=1e-5)


# Attention. The masks leave some queries without a key.
SIZES = {  # B, T, S, H, K, d
    "plain": (2, 3, 3, 2, 2, 3),
    "longer": (1, 2, 5, 1, 1, 2),
    "grouped": (2, 3, 4, 4, 2, 2),
    "T > S": (2, 4, 3, 6, 2, 5),
}


def case(size, axes):
    """Return q, k and v, and a mask with these axes, whose first part is False."""
    B, T, S, H, K, d = SIZES[size]
    lengths = {"B": B, "T": T, "S": S, "H": H, "1": 1}
    mask = jnp.asarray(np.random.default_rng(1).random([lengths[a] for a in axes]) < 0.6)
    return arrays((B, T, H, d), (B, S, K, d), (B, S, K, d)), mask.at[:1].set(False) if axes else mask


def jax_attention(size, mask, is_causal):
    """Return attention by JAX, whose own is_causal counts from the first key instead of the last."""
    _, T, S, *_ = SIZES[size]
    causal = jnp.tril(jnp.ones((T, S), bool), S - T) | (not is_causal)
    return lambda q, k, v: jax.nn.dot_product_attention(q, k, v, mask=mask & causal)


@pytest.mark.parametrize(
    ("size", "axes", "is_causal"),
    [
        *(("plain", axes, False) for axes in ("", "S", "TS", "HTS", "BHT1")),
        *(("longer", axes, True) for axes in ("TS", "S")),
        *(("grouped", axes, False) for axes in ("1TS", "B11S")),
        *(("grouped", axes, True) for axes in ("BHTS", "1HTS", "B1TS")),
        ("T > S", "B1TS", False),
        ("T > S", "BHTS", True),
    ],
)
def test_masked_attention_has_the_derivatives_of_jax(size, axes, is_causal):
    args, mask = case(size, axes)
    ours = lambda q, k, v: ops.attention(q, k, v, mask=mask, is_causal=is_causal)  # noqa: E731
    assert_as_jax(ours, jax_attention(size, mask, is_causal), args)


def test_the_scale_multiplies_the_scores():
    args, mask = case("grouped", "TS")
    ours = ops.attention(*args, mask=mask, is_causal=False, scale=0.25)
    np.testing.assert_allclose(ours, jax.nn.dot_product_attention(*args, mask=mask[None, None], scale=0.25), atol=1e-5)


@pytest.mark.parametrize(("size", "is_causal"), [("plain", True), ("grouped", False), ("T > S", True)])
def test_gradients_pass_the_check_where_a_query_may_see_nothing(size, is_causal):
    args, mask = case(size, "B11S")
    check_grads(lambda q, k, v: ops.attention(q, k, v, mask=mask, is_causal=is_causal), args)


def test_a_query_that_sees_nothing_gets_the_mean_and_gives_no_gradient_to_queries_and_keys():
    (q, k, v), _ = case("T > S", "")
    y, pullback = vjp(lambda q, k, v: ops.attention(q, k, v, is_causal=True), q, k, v)
    np.testing.assert_allclose(y[:, :1], jnp.repeat(v.mean(axis=1, keepdims=True), 3, axis=2), rtol=1e-5)
    g_q, g_k, g_v = pullback(jnp.zeros_like(y).at[:, :1].set(1.0))
    np.testing.assert_array_equal(g_q, 0)
    np.testing.assert_array_equal(g_k, 0)
    np.testing.assert_allclose(g_v, jnp.ones_like(v), rtol=1e-6)


@pytest.mark.parametrize("axes", ["S", "B11S"])
def test_left_padding_with_causal_equals_the_text_without_padding(axes):
    q, k, v = arrays(*[(1, 6, 2, 4)] * 3)
    mask = jnp.reshape(jnp.arange(6) >= 2, [6 if a == "S" else 1 for a in axes])
    padded = ops.attention(q, k, v, mask=mask, is_causal=True)[:, 2:]
    np.testing.assert_allclose(padded, ops.attention(q[:, 2:], k[:, 2:], v[:, 2:], is_causal=True), atol=1e-5)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32", "uint8", "int8"])
@pytest.mark.parametrize("axes", ["TS", "B1TS"])
def test_a_mask_that_is_not_boolean_is_refused_as_in_jax(dtype, axes):
    args, mask = case("plain", axes)
    for number in (mask.astype(dtype), np.asarray(jnp.where(mask, 0, -9).astype(dtype))):
        for fun in (ops.attention, grad(lambda q, k, v, mask: ops.attention(q, k, v, mask).sum())):
            with pytest.raises(ValueError, match=rf"needs a boolean mask, True .* its dtype is {dtype}: write mask"):
                fun(args[0], args[1], args[2], number)


@pytest.mark.usefixtures("without_type_checks")
def test_a_mask_that_is_being_differentiated_is_refused():
    args, mask = case("plain", "TS")
    with pytest.raises(ValueError, match="needs a boolean mask"):
        grad(lambda bias: ops.attention(*args, mask=bias).sum())(mask.astype(jnp.float32))


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    "shape",
    [(4,), (4, 3), (3, 4), (3, 3, 3), (3, 1, 3, 3), (2, 3, 3, 3), (2, 2, 3, 0), (1, 1, 1, 3, 3), (1, 2, 2, 3, 3)],
)
def test_a_mask_that_does_not_broadcast_is_refused(shape):
    args, _ = case("plain", "TS")
    with pytest.raises(ValueError, match=r"broadcasts to \(B, H, T, S\) = \(2, 2, 3, 3\), but its shape is"):
        ops.attention(*args, mask=jnp.ones(shape, bool))


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3, 4), (2, 3, 4), (2, 3, 4)),  # fewer axes
        ((2, 3, 2, 4), (2, 3, 4), (2, 3, 4)),
        ((1, 3, 2, 4), (2, 3, 2, 4), (2, 3, 2, 4)),  # another batch
        ((2, 3, 3, 4), (2, 3, 2, 4), (2, 3, 2, 4)),  # heads that the key heads do not divide
        ((2, 3, 1, 4), (2, 3, 2, 4), (2, 3, 2, 4)),
        ((2, 3, 2, 4), (2, 3, 2, 5), (2, 3, 2, 5)),  # another width
        ((2, 3, 2, 4), (2, 3, 2, 4), (2, 3, 2, 5)),  # values unlike keys
        ((2, 3, 2, 4), (2, 3, 2, 4), (2, 4, 2, 4)),
    ],
)
def test_queries_and_keys_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"needs q \(B, T, H, d\) and k, v \(B, S, K, d\)"):
        ops.attention(*map(jnp.ones, shapes))


def test_attention_is_to_all_keys_by_default():
    args, _ = case("grouped", "TS")
    np.testing.assert_allclose(ops.attention(*args), jax.nn.dot_product_attention(*args), atol=1e-5)


@pytest.mark.parametrize(
    ("more", "is_causal", "has_mask"), [(0, True, False), (0, False, False), (0, True, True), (1, True, False)]
)
def test_long_attention_is_that_of_jax_in_blocks_or_not(more, is_causal, has_mask):
    T = 4 * SHORT + 3
    args = arrays((1, T, 2, 2), (1, T + more, 1, 2), (1, T + more, 1, 2))
    mask = jnp.arange(T + more) % 3 > 0 if has_mask else None
    whole = jnp.tril(jnp.ones((T, T + more), bool), more) | (not is_causal)
    whole = (whole if mask is None else whole & mask)[None, None]

    def gradient(grad, attention):
        return jax.jit(grad(lambda *a: ops.sum(ops.sin(attention(*a))), (0, 1, 2)))(*args)

    actual = gradient(grad, lambda *a: ops.attention(*a, mask=mask, is_causal=is_causal))
    expected = gradient(jax.grad, lambda *a: jax.nn.dot_product_attention(*a, mask=whole))
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-4, atol=1e-4)
