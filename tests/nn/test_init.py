import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.nn import init

KEY = jax.random.key(3)
PAIRS = [
    (init.zeros, jax.nn.initializers.zeros),
    (init.ones, jax.nn.initializers.ones),
    (init.uniform(0.3), jax.nn.initializers.uniform(0.3)),
    (init.normal(0.02), jax.nn.initializers.normal(0.02)),
    (init.truncated_normal(0.5), jax.nn.initializers.truncated_normal(0.5)),
    (init.lecun_normal(), jax.nn.initializers.lecun_normal()),
    (init.lecun_uniform(), jax.nn.initializers.lecun_uniform()),
    (init.he_normal(), jax.nn.initializers.he_normal()),
    (init.he_uniform(), jax.nn.initializers.he_uniform()),
    (init.glorot_normal(), jax.nn.initializers.glorot_normal()),
    (init.glorot_uniform(), jax.nn.initializers.glorot_uniform()),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_initializers_equal_those_of_jax(ours, theirs):
    shape = (3, 3, 2, 5)
    np.testing.assert_allclose(ours(KEY, shape), theirs(KEY, shape), rtol=1e-5, atol=1e-8)


def test_the_dtype_is_float32_by_default():
    assert init.he_normal()(KEY, (2, 2)).dtype == jnp.float32
    assert init.normal()(KEY, (2, 2), jnp.bfloat16).dtype == jnp.bfloat16


def test_scaled_initializers_reach_their_variance():
    weight = init.glorot_uniform()(KEY, (300, 100))
    assert abs(float(weight.var()) * 400 / 2 - 1) < 0.02


def test_fans_count_the_window():
    assert init.fans((3, 5, 2, 7)) == (30, 105)
    with pytest.raises(ValueError, match=r"shape \(4,\) has no inputs and outputs.*two axes"):
        init.lecun_normal()(KEY, (4,))


def test_a_named_key_depends_on_the_name_alone():
    data = jax.random.key_data
    a, b = init.fold_in_name(KEY, "a"), init.fold_in_name(KEY, "b")
    assert np.array_equal(data(a), data(init.fold_in_name(KEY, "a")))
    assert not np.array_equal(data(a), data(b))
    assert init.fold_in_name(None, "a") is None


def test_named_keys_stay_the_same_from_release_to_release():
    drawn = jax.random.randint(init.fold_in_name(jax.random.key(0), "weight"), (3,), 0, 1000)
    assert drawn.tolist() == [11, 109, 846]
