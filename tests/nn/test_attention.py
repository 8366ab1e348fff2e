import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch.nn import Attention, KVCache, Linear

KEY = jax.random.key(0)
X = np.random.default_rng(1).normal(size=(2, 6, 8)).astype("float32")
attend = jax.jit(lambda layer, x, cache=None: layer(x, cache))


@pytest.mark.parametrize("is_causal", [True, False])
def test_attention_equals_flax(is_causal, filled, assert_same):
    def flax(layer, x):
        """Flax keeps three weights (D, H, d) and an output weight (H, d, D)."""
        theirs = nnx.eval_shape(lambda: nnx.MultiHeadAttention(2, 8, decode=False, rngs=nnx.Rngs(0)))
        columns = jnp.split(layer.qkv.weight, 3, axis=1), jnp.split(layer.qkv.bias, 3)
        for part, weight, bias in zip((theirs.query, theirs.key, theirs.value), *columns, strict=True):
            part.kernel, part.bias = nnx.Param(weight.reshape(8, 2, 4)), nnx.Param(bias.reshape(2, 4))
        theirs.out.kernel, theirs.out.bias = nnx.Param(layer.out.weight.reshape(2, 4, 8)), nnx.Param(layer.out.bias)
        return theirs(x, mask=nnx.make_causal_mask(x[..., 0]) if is_causal else None)

    layer = filled(lambda: Attention.init(KEY, 8, 2, is_causal=is_causal))
    assert_same(lambda layer, x: layer(x)[0], flax, layer, X)


def test_shared_key_heads_equal_repeated_ones(filled, assert_same):
    def repeated(layer, x):
        q, k, v = jnp.split(layer.qkv.weight, [8, 12], axis=1)
        k, v = (jnp.repeat(w.reshape(8, 2, 2), 2, axis=1).reshape(8, 8) for w in (k, v))
        qkv = Linear(jnp.concatenate([q, k, v], axis=1))
        return Attention(qkv, layer.out, 4, 4, rope_base=100.0)(x)[0]

    shared = filled(lambda: Attention.init(KEY, 8, 4, 2, bias=False, rope_base=100.0))
    assert_same(lambda layer, x: layer(x)[0], repeated, shared, X)


@pytest.mark.parametrize(("kv_heads", "rope_base"), [(2, None), (1, 10_000.0)])
def test_attention_to_pieces_through_a_cache_equals_attention_to_the_whole(kv_heads, rope_base, filled):
    layer = filled(lambda: Attention.init(KEY, 8, 4, kv_heads, rope_base=rope_base))
    expected, no_cache = attend(layer, X)
    assert no_cache is None
    cache = KVCache.init(2, 9, kv_heads, 2)
    pieces = []
    for piece in (X[:, :3], X[:, 3:4], X[:, 4:5], X[:, 5:]):
        y, cache = attend(layer, piece, cache)
        pieces.append(y)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, rtol=1e-4, atol=1e-5)
    assert int(cache.position) == 6
    assert cache.k.shape == (1, 2, kv_heads, 9, 2)
    assert np.all(np.any(cache.k, axis=(0, 1, 2, 4)) == (np.arange(9) < 6))


def test_rotary_positions_change_the_output(filled):
    plain, turned = (
        attend(filled(lambda base=base: Attention.init(KEY, 8, 2, rope_base=base)), X)[0] for base in (None, 1e4)
    )
    assert not np.allclose(plain, turned, atol=1e-2)


@pytest.mark.parametrize(("heads", "kv_heads"), [(3, 3), (4, 3)])
def test_heads_that_do_not_fit_are_refused(heads, kv_heads):
    with pytest.raises(ValueError, match=rf"{heads} heads with {kv_heads} key heads do not fit a width of 8"):
        Attention.init(KEY, 8, heads, kv_heads)
