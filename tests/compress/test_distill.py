import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import minitorch as mt
from minitorch.compress import distill
from minitorch.compress.distill import DistillConfig
from minitorch.models import GPT, GPTConfig
from minitorch.nn import Linear
from minitorch.train import load_run, train

pytestmark = pytest.mark.slow
losses = optax.softmax_cross_entropy_with_integer_labels


def draws(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def log_softmax(x):
    x = np.asarray(x, np.float64)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_both_divergences_equal_their_definition(temperature):
    student, teacher = draws(2, 3, 5), draws(2, 3, 5, seed=1)
    q, p = log_softmax(student / temperature), log_softmax(teacher / temperature)
    forward = distill.kl_divergence(student, teacher, temperature)
    np.testing.assert_allclose(forward, (np.exp(p) * (p - q)).sum(-1) * temperature**2, rtol=1e-5)
    reverse = distill.kl_divergence(student, teacher, temperature, "reverse")
    np.testing.assert_allclose(reverse, (np.exp(q) * (q - p)).sum(-1) * temperature**2, rtol=1e-5)
    theirs = optax.losses.kl_divergence_with_log_targets(jnp.asarray(q), jnp.asarray(p)) * temperature**2
    np.testing.assert_allclose(forward, theirs, rtol=1e-5)
    np.testing.assert_allclose(distill.kl_divergence(student, student, temperature), 0, atol=1e-6)


@pytest.mark.parametrize("kind", ["forward", "reverse"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_a_class_that_a_distribution_rules_out_adds_nothing(kind, temperature):
    """Divergence and gradient are those without the classes, whether one model or both rule them out."""
    student, teacher = draws(3, 6), draws(3, 6, seed=1)
    first = {"forward": "teacher", "reverse": "student"}[kind]  # The distribution of which a class may be missing.
    for which in ((first,), ("student", "teacher")):
        models = {"student": student, "teacher": teacher}
        models |= {name: models[name].at[:, 4:].set(-jnp.inf) for name in which}
        fun = lambda s: distill.kl_divergence(s, models["teacher"], temperature, kind)  # noqa: B023, E731
        q, p = (jax.nn.softmax(models[name] / temperature) for name in models)
        p, q = (p, q) if kind == "forward" else (q, p)
        expected = np.sum(p[:, :4] * np.log(p[:, :4] / q[:, :4]), axis=-1) * temperature**2
        np.testing.assert_allclose(fun(models["student"]), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(fun(models["student"]), theirs(p, q) * temperature**2, rtol=1e-4, atol=1e-5)
        gradients = [d(lambda s: fun(s).sum())(models["student"]) for d in (mt.grad, jax.grad)]  # noqa: B023
        finite = jax.grad(lambda s: distill.kl_divergence(s, models["teacher"].clip(-200), temperature, kind).sum())(  # noqa: B023
            models["student"].clip(-200)
        )
        for gradient in gradients:
            np.testing.assert_allclose(gradient, finite, rtol=1e-4, atol=1e-5)


def theirs(p, q):
    return optax.losses.kl_divergence(jnp.log(jnp.maximum(q, 1e-30)), p)


def test_a_class_that_only_the_other_distribution_rules_out_is_infinitely_far():
    finite, missing = draws(3), draws(3, seed=1).at[2].set(-jnp.inf)
    assert distill.kl_divergence(missing, finite) == jnp.inf
    assert distill.kl_divergence(finite, missing, kind="reverse") == jnp.inf


def test_logits_that_are_not_numbers_are_not_hidden():
    assert np.isnan(distill.kl_divergence(jnp.array([1.0, jnp.nan]), draws(2)))
    assert np.isnan(distill.kl_divergence(draws(2), jnp.array([1.0, jnp.nan])))


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_loss_without_a_share_may_be_infinite(alpha):
    student, teacher = jnp.array([[1.0, 2.0, -jnp.inf]]), jnp.array([[1.0, 2.0, 3.0 if alpha == 0 else -jnp.inf]])
    targets = jnp.array([0 if alpha == 0 else 2])  # The other loss is infinite.
    expected = losses(student, targets).mean() if alpha == 0 else distill.kl_divergence(student, teacher).mean()
    loss, gradient = mt.value_and_grad(lambda s: distill.logits_loss(s, teacher, targets, DistillConfig(alpha=alpha)))(
        student
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert np.isfinite(gradient).all()


def test_the_gradient_keeps_its_size_at_high_temperatures():
    student, teacher = draws(1, 5), draws(1, 5, seed=1)
    warm, hot = (
        mt.grad(lambda s, t=t: mt.ops.sum(distill.kl_divergence(s, teacher, t)))(student) for t in (50.0, 100.0)
    )
    np.testing.assert_allclose(
        warm, hot, rtol=0.1, atol=1e-3
    )  # In the limit the loss compares logits, at any temperature.
    centered = [x - x.mean() for x in (student, teacher)]
    np.testing.assert_allclose(hot, (centered[0] - centered[1]) / 5, rtol=0.1, atol=1e-2)


def test_the_loss_mixes_divergence_and_cross_entropy():
    student, teacher, targets = draws(2, 3, 5), draws(2, 3, 5, seed=1), jnp.array([[0, 1, 2], [3, 4, 0]])
    config = DistillConfig(temperature=2.0, alpha=0.7)
    hard = optax.losses.softmax_cross_entropy_with_integer_labels(student, targets).mean()
    expected = 0.7 * distill.kl_divergence(student, teacher, 2.0).mean() + 0.3 * hard
    np.testing.assert_allclose(distill.logits_loss(student, teacher, targets, config), expected, rtol=1e-5)


def test_hidden_states_that_a_projection_makes_equal_have_no_loss():
    states = [draws(2, 3, 4), draws(2, 3, 4, seed=1)]
    same = [Linear(jnp.eye(4))] * 2
    np.testing.assert_allclose(distill.hidden_loss(same, states, [3 * s + 1 for s in states]), 0, atol=1e-6)
    other = distill.hidden_loss(same, states, states[::-1])
    assert other > 0.1
    narrow = [Linear(draws(4, 6))] * 2
    wide = [draws(2, 3, 6), draws(2, 3, 6, seed=1)]
    np.testing.assert_allclose(distill.hidden_loss(narrow, states, wide), by_hand(narrow, states, wide), rtol=1e-4)


def by_hand(projections, student, teacher):
    def normal(x):
        x = np.asarray(x, np.float64)
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)

    pairs = zip(projections, student, teacher, strict=True)
    return np.mean([np.mean((normal(s) @ np.asarray(p.weight) - normal(t)) ** 2) for p, s, t in pairs])


def test_matched_layers_are_evenly_spaced():
    assert distill.matched_states(list(range(9)), 4) == [2, 4, 6, 8]
    assert distill.matched_states(list(range(4)), 3) == [1, 2, 3]


@pytest.fixture(scope="module")
def teacher():
    return GPT.init(jax.random.key(7), GPTConfig(vocab=12, context=16, layers=2, heads=2, width=16))


def test_a_student_is_trained_on_hidden_states(tiny, teacher, tmp_path):
    train(tiny, tmp_path / "run", task=distill.distill(teacher, DistillConfig(temperature=2.0, alpha=0.5, hidden=1.0)))
    student = load_run(tmp_path / "run").model
    assert student.config.width == 8
    assert not np.array_equal(student.token.weight, tiny.init_model(12).token.weight)


def test_a_student_approaches_its_teacher(tiny, teacher, tmp_path):
    loud = jax.tree.map(lambda x: 4 * x, teacher)  # Large logits are worth learning from.
    config = dataclasses.replace(tiny, steps=60, lr=3e-2, eval_every=60, checkpoint_every=60)
    train(config, tmp_path / "run", task=distill.distill(loud))
    ids = jnp.arange(12)[None]
    loss = jax.jit(lambda model: distill.kl_divergence(model(ids), loud(ids)).mean())
    before, after = (float(loss(model)) for model in (config.init_model(12), load_run(tmp_path / "run").model))
    assert after < 0.5 * before


def test_the_student_reads_the_samples_of_the_teacher(tiny, teacher, tmp_path):
    def generate(model, prompts, tokens):
        assert model is teacher
        assert prompts.shape[1] == 2
        return np.full((len(prompts), tokens), 5)

    task = distill.distill_on_samples(teacher, generate, tokens=100)(tiny, tmp_path)
    rows = np.asarray(task.data).reshape(-1, 16)
    assert rows.shape == (7, 16)
    assert (rows[:, 2:] == 5).all()


def test_on_policy_the_student_generates_a_share_of_the_rows(tiny, teacher, tmp_path):
    task = distill.distill_on_policy(teacher, share=0.5)(tiny, tmp_path)
    batch = task.get_batch(task.data, jnp.int32(3))
    assert (np.asarray(batch[2]) >= 0).tolist() == [True, True, False, False]
    model = tiny.init_model(12)
    value, gradient = jax.jit(mt.value_and_grad(task.loss))(model, *batch, teacher)
    assert value > 0
    assert np.isfinite(value)
    assert np.abs(gradient.token.weight).sum() > 0
    same = jax.jit(task.loss)(teacher, *batch, teacher)
    np.testing.assert_allclose(same, 0, atol=1e-5)  # A model agrees with itself on any text.


def test_on_policy_each_loss_is_the_mean_of_the_tokens_that_count_in_it(tiny, teacher, tmp_path):
    config = DistillConfig(alpha=0.3, divergence="reverse")
    task = distill.distill_on_policy(teacher, config, share=0.5)(tiny, tmp_path)
    inputs, targets, seeds = task.get_batch(task.data, jnp.int32(0))
    model, forward = tiny.init_model(12), jax.jit(lambda model, ids: model(ids))
    keys = jnp.stack([jax.random.fold_in(jax.random.key(tiny.seed), s) for s in seeds[:2]])
    own = jax.jit(distill.continue_text, static_argnums=2)(model, inputs[:2, :8], 8, keys)
    text = inputs.at[:2, 8:].set(own)
    ours, theirs = log_softmax(forward(model, text)), log_softmax(forward(teacher, text))
    divergence = (np.exp(ours) * (ours - theirs)).sum(-1)
    soft = np.concatenate([divergence[:2, 7:].ravel(), divergence[2:].ravel()]).mean()
    hard = -np.take_along_axis(ours[2:], np.asarray(targets)[2:, :, None], axis=-1).mean()
    loss = jax.jit(task.loss)(model, inputs, targets, seeds, teacher)
    np.testing.assert_allclose(loss, 0.3 * soft + 0.7 * hard, rtol=1e-5)


def test_continued_text_equals_what_the_whole_text_predicts(teacher):
    ids, keys = jnp.array([[1, 2, 3], [4, 5, 6]]), jax.random.split(jax.random.key(0), 2)
    sharp = jax.tree.map(lambda x: 30 * x, teacher)  # Makes the most likely token nearly certain.
    generated = jax.jit(distill.continue_text, static_argnums=2)(sharp, ids, 4, keys)
    text = jnp.concatenate([ids, generated], axis=1)
    np.testing.assert_array_equal(jax.jit(lambda model, text: model(text))(sharp, text)[:, 2:-1].argmax(-1), generated)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(vocab=13), "the teacher has 13 tokens and the student 12, .*: give the student the teacher's tokenizer"),
        (dict(context=8), "the student reads 16 tokens and the teacher only 8: give the student a context of 8"),
        (
            dict(width=4),
            "the student has .* parameters and a width of 8, and its teacher .*,"
            " but a student must not be larger or wider",
        ),
        (
            dict(width=6, layers=9),
            "the student has .* and a width of 8, and its teacher .* and 6, but a student must not be larger",
        ),
    ],
)
def test_a_teacher_that_does_not_fit_raises(tiny, tmp_path, changes, message):
    sizes = dict(vocab=12, context=16, layers=2, heads=2, width=16) | changes
    with pytest.raises(ValueError, match=message):
        distill.distill(GPT.init(jax.random.key(0), GPTConfig(**sizes)))(tiny, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(temperature=0), "a temperature divides logits, so 0 is not possible"),
        (dict(alpha=2), "alpha is the share of the teacher's loss, a number from 0 to 1, and not 2"),
        (dict(divergence="both"), "divergence is 'forward' or 'reverse', and not 'both'"),
        (dict(hidden=-1), "hidden is the weight of a loss, a number from 0 up, and not -1"),
    ],
)
def test_impossible_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        DistillConfig(**settings)


def test_an_impossible_share_raises(teacher):
    with pytest.raises(ValueError, match=r"share is that of the rows which the student generates, .* not 0"):
        distill.distill_on_policy(teacher, share=0)


def test_hidden_states_on_policy_raise(teacher):
    with pytest.raises(ValueError, match=r"compares logits, and not hidden states: leave out hidden"):
        distill.distill_on_policy(teacher, DistillConfig(hidden=1.0))
