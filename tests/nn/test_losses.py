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


@pytest.mark.parametrize("outside", [-100, -1, 7, 127])
@pytest.mark.parametrize("dtype", ["int8", "int32"])
def test_targets_outside_the_classes_give_nan_unless_where_leaves_them_out(outside, dtype, assert_same):
    marked = np.where(WHERE, TARGETS, outside).astype(dtype)
    for measure in (cross_entropy, accuracy):
        assert np.isnan(measure(LOGITS, marked))
        np.testing.assert_allclose(measure(LOGITS, marked, marked != outside), measure(LOGITS, TARGETS, WHERE))
    ours = lambda x, targets, where: cross_entropy(x, targets, where)  # noqa: E731
    assert_same(ours, lambda x, targets, where: losses(x, TARGETS)[WHERE].mean(), LOGITS, marked, marked != outside)
    none = np.full_like(marked, outside)
    assert cross_entropy(LOGITS, none, none != outside) == 0


def test_a_class_without_probability_does_not_hide_the_loss(assert_same):
    masked = LOGITS.copy()
    masked[..., 5:] = -np.inf
    assert_same(cross_entropy, lambda x, targets: losses(x, targets).mean(), masked, TARGETS % 5)


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
    for measure in (cross_entropy, accuracy):
        with pytest.raises(ValueError, match=r"got logits \(2, 5, 7\) and targets \(2, 5, 7\): one target, a class"):
            measure(LOGITS, LOGITS)
        with pytest.raises(TypeError, match=r"integer targets \(class numbers\), but their dtype is float32"):
            measure(LOGITS, TARGETS.astype("float32"))
        for where in (WHERE[0], WHERE.astype("float32"), WHERE.astype(int), WHERE.astype("uint8")):
            with pytest.raises(ValueError, match="needs a boolean `where`"):
                measure(LOGITS, TARGETS, where)
    with pytest.raises(ValueError, match=r"\(3, 1\) and \(3,\): reshape one of them"):
        mse(np.zeros((3, 1)), np.zeros(3))
