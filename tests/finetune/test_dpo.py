import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from minitorch.finetune import chat_data
from minitorch.finetune.dpo import answer_log_probs, dpo, dpo_loss
from minitorch.train import load_run, train

pytestmark = pytest.mark.slow


def test_a_whole_model_learns_preferences(base, questions, config, tmp_path):
    model, tokenizer = base
    before = jax.tree.map(np.array, model)
    path = tmp_path / "pairs.jsonl"
    rows = [{"messages": q["messages"][:1], "chosen": q["messages"][1]["content"], "rejected": "x"} for q in questions]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    make = dpo(model, tokenizer, chat_data.read_preferences(path), beta=0.5)
    task = make(config, tmp_path)
    batch = task.get_batch(task.data, jnp.int32(0))
    assert batch[0].shape == (8, 2, 16)
    assert batch[2].sum(axis=-1).tolist() == [[2, 2]] * 8
    loss = jax.jit(task.loss)
    assert_allclose(loss(task.start, *batch, *task.frozen), np.log(2), rtol=1e-5)  # Before training.
    train(dataclasses.replace(config, lr=1e-2), tmp_path / "run", task=make)
    tuned = load_run(tmp_path / "run").model
    assert loss(tuned, *batch, *task.frozen) < 0.3
    jax.tree.map(np.testing.assert_array_equal, model, before)


def test_the_loss_equals_the_papers():
    rng = np.random.default_rng(0)
    ours, reference = rng.normal(size=(2, 5, 2))
    margin = 0.3 * ((ours - reference)[:, 0] - (ours - reference)[:, 1])
    expected = -np.log(1 / (1 + np.exp(-margin)))
    assert_allclose(dpo_loss(jnp.asarray(ours), jnp.asarray(reference), 0.3), expected, rtol=1e-5)


def test_log_probabilities_of_answers_are_sums_over_their_tokens(base):
    model, _ = base
    rng = np.random.default_rng(0)
    ids, counted = rng.integers(0, 29, (3, 2, 9)), rng.random((3, 2, 8)) > 0.5
    result = jax.jit(answer_log_probs)(model, jnp.asarray(ids[..., :-1]), jnp.asarray(ids[..., 1:]), counted)
    log_probs = np.asarray(
        jax.nn.log_softmax(jax.jit(lambda model, ids: model(ids))(model, ids[..., :-1].reshape(6, 8)))
    ).reshape(3, 2, 8, -1)
    for i, j in np.ndindex(3, 2):
        expected = sum(log_probs[i, j, t, ids[i, j, t + 1]] for t in range(8) if counted[i, j, t])
        assert_allclose(result[i, j], expected, rtol=1e-4)


@pytest.mark.parametrize("beta", [0, -1.0, float("inf")])
def test_an_impossible_beta_raises(base, beta):
    model, tokenizer = base
    with pytest.raises(ValueError, match="beta must be a positive number"):
        dpo(model, tokenizer, [], beta=beta)
