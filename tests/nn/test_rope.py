import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.nn import rope

X = np.random.default_rng(0).normal(size=(2, 6, 3, 8)).astype("float32")
POSITIONS = np.arange(6)
turn = jax.jit(rope)


def test_pairs_are_rotated_as_complex_numbers(assert_same):
    """The pair (x[i], x[i + d/2]) is a complex number, and to turn it a product."""

    def twin(x, positions):
        angles = positions[..., None] * 10_000.0 ** (-np.arange(4) / 4)
        pairs = (x[..., :4] + 1j * x[..., 4:]) * jnp.exp(1j * angles)[..., None, :]
        return jnp.concatenate([pairs.real, pairs.imag], axis=-1)

    assert_same(rope, twin, X, POSITIONS)
    assert_same(rope, twin, X, np.stack([POSITIONS, POSITIONS + 5]))


def test_the_product_of_query_and_key_depends_on_their_distance_only():
    q, k = X[:1, :1], X[1:, :1]

    def product(query_at, key_at):
        return np.sum(turn(q, np.array([query_at])) * turn(k, np.array([key_at])), axis=-1)

    np.testing.assert_allclose(product(3, 1), product(40, 38), rtol=1e-4, atol=1e-4)
    assert not np.allclose(product(3, 1), product(3, 2), rtol=1e-2)


def test_the_gradient_is_rotated_back():
    y, pull = jax.vjp(lambda x: rope(x, POSITIONS), X)
    np.testing.assert_allclose(pull(y)[0], X, rtol=1e-5, atol=1e-5)


def test_the_base_slows_all_pairs_but_the_first():
    near, far = turn(X, POSITIONS, 100.0), turn(X, POSITIONS, 10_000.0)
    np.testing.assert_array_equal(near[..., 0], far[..., 0])
    assert not np.allclose(near[..., 1], far[..., 1])


def test_the_dtype_stays():
    assert turn(X.astype(jnp.bfloat16), POSITIONS).dtype == jnp.bfloat16


def test_odd_heads_are_refused():
    with pytest.raises(ValueError, match=r"a head is 7 wide: choose an even width / heads"):
        rope(X[..., :7], POSITIONS)
