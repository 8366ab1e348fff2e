import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from minitorch.autodiff import grad
from minitorch.nn import accuracy, cross_entropy, mse

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(scale=4, size=(2, 5, 7)).astype("float32")
TARGETS = RNG.integers(0, 7, size=(2, 5))
WHERE = np.array([[True, False, True, True, False], [False] * 5])
losses = optax.softmax_cross_entropy_with_integer_labels


def test_cross_entropy_is_the_mean_in_nats(assert_same):
    assert_same(cross_entropy, lambda x, targets: losses(x, targets).mean(), LOGITS, TARGETS)
    np.testing.assert_allclose(cross_entropy(jnp.zeros((2, 5, 7)), TARGETS), np.log(7), rtol=1e-6)


def test_only_the_chosen_tokens_count(assert_same):
    assert_same(cross_entropy, lambda x, targets, where: losses(x, targets)[WHERE].mean(), LOGITS, TARGETS, WHERE)
    assert cross_entropy(LOGITS, TARGETS, np.zeros_like(WHERE)) == 0


def test_cross_entropy_of_bfloat16_logits_is_float32():
    rounded = jnp.asarray(LOGITS, jnp.bfloat16)
    loss = cross_entropy(rounded, TARGETS)
    assert loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, cross_entropy(rounded.astype(jnp.float32), TARGETS), rtol=1e-6)
    assert jax.eval_shape(grad(lambda x: cross_entropy(x, TARGETS)), rounded).dtype == jnp.bfloat16


def test_accuracy_is_the_share_of_hits():
    best = LOGITS.argmax(-1)
    assert accuracy(LOGITS, best) == 1
    best[0, 0] = (best[0, 0] + 1) % 7
    np.testing.assert_allclose(accuracy(LOGITS, best), 0.9)
    np.testing.assert_allclose(accuracy(LOGITS, best, WHERE), 2 / 3)


def test_mse_is_the_mean_of_squares(assert_same):
    assert_same(mse, lambda a, b: ((a - b) ** 2).mean(), LOGITS[0], LOGITS[1])


@pytest.mark.usefixtures("without_type_checks")
def test_shapes_that_do_not_fit_are_explained():
    with pytest.raises(ValueError, match=r"got logits \(2, 5, 7\), targets \(2, 5, 7\): one target, a class number"):
        cross_entropy(LOGITS, LOGITS)
    with pytest.raises(ValueError, match=r"accuracy needs .* and where \(5,\)"):
        accuracy(LOGITS, TARGETS, WHERE[0])
    with pytest.raises(TypeError, match=r"integer targets \(class numbers\), but their dtype is float32"):
        cross_entropy(LOGITS, TARGETS.astype("float32"))
    with pytest.raises(ValueError, match=r"\(3, 1\) and \(3,\): reshape one of them"):
        mse(np.zeros((3, 1)), np.zeros(3))
