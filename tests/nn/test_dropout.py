import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch.autodiff import grad
from minitorch.nn import Dropout

X = np.arange(1.0, 20_001.0, dtype="float32")
KEY = jax.random.key(5)
drop = jax.jit(lambda layer, x, key: layer(x, key))


def test_without_a_key_or_a_rate_the_input_is_unchanged():
    assert Dropout(0.5)(X) is X
    assert Dropout(0.0)(X, KEY) is X


def test_dropout_equals_flax_given_the_same_random_bits():
    theirs = nnx.Dropout(0.3)(X, deterministic=False, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(drop(Dropout(0.3), X, nnx.Rngs(0)()), theirs, rtol=1e-6)


def test_kept_numbers_and_their_gradients_are_scaled_to_keep_the_mean():
    slope = jax.jit(grad(lambda x: Dropout(0.25)(x, KEY).sum()))(X)
    np.testing.assert_allclose(slope, drop(Dropout(0.25), X, KEY) / X, rtol=1e-6)
    assert np.unique(slope).tolist() == [0.0, np.float32(1 / 0.75)]
    assert abs(np.mean(slope) - 1) < 0.02


@pytest.mark.parametrize("rate", [-0.1, 1.0, 50])
def test_a_rate_that_is_not_a_probability_is_refused(rate):
    with pytest.raises(ValueError, match=r"a probability in \[0, 1\), not"):
        Dropout(rate)(jnp.ones(2), KEY)
