import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch import ops
from minitorch.nn import KVCache
from minitorch.nn.kv_cache import KV_BLOCK, attend_blockwise, attend_dense


@pytest.mark.parametrize("kv_heads", [4, 2])
@pytest.mark.parametrize("T", [1, 5, 70])
def test_blockwise_and_dense_attention_to_a_cache_equal_attention_to_its_tokens(kv_heads, T):
    rng = np.random.default_rng(0)
    length = 2 * KV_BLOCK + 22
    k, v = jnp.asarray(rng.normal(size=(2, 2, length, kv_heads, 6)), jnp.float32)
    q = jnp.asarray(3 * rng.normal(size=(2, T, 4, 6)), jnp.float32)
    empty = KVCache.init(2, length, kv_heads, 6)
    assert empty.k.shape == (3, 2, kv_heads, KV_BLOCK, 6)
    blockwise, dense, append = jax.jit(attend_blockwise), jax.jit(attend_dense), jax.jit(KVCache.append)
    for written in {T, KV_BLOCK, KV_BLOCK + 1, 2 * KV_BLOCK, length} - set(range(T)):
        cache = append(empty, k[:, :written], v[:, :written])
        seen = jnp.arange(written) <= jnp.arange(written - T, written)[:, None]
        expected = ops.attention(q, k[:, :written], v[:, :written], mask=seen[None, None])
        np.testing.assert_allclose(blockwise(q, cache), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(dense(q, cache), expected, rtol=1e-4, atol=1e-5)


def test_sums_over_a_bfloat16_cache_are_in_float32():
    k, v = jnp.ones((2, 1, 300, 1, 4), jnp.bfloat16)
    cache = KVCache.init(1, 300, 1, 4, jnp.bfloat16).append(k, v)
    y = attend_blockwise(k[:, -1:], cache)
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, jnp.ones((1, 1, 1, 4)))  # In bfloat16 a sum of ones ends at 256.
    np.testing.assert_allclose(attend_dense(k[:, -1:], cache), y, rtol=0.01)
