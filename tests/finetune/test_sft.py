import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import minitorch as mt
from minitorch.data import DataError
from minitorch.finetune import chat_data, lora, sft
from minitorch.models import GPT, GPTConfig
from minitorch.nn import paths
from minitorch.text import CharTokenizer
from minitorch.train import load_run, train

LETTERS = "abcdefghijklmnopqrstuvwxyz ?.\n"


@pytest.fixture(scope="module")
def chat_file(tmp_path_factory):
    """Every question is answered by its last letter: something to learn."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("data") / "chat.jsonl"
    words = ["".join(rng.choice(list("abcdefgh"), 5)) for _ in range(40)]
    path.write_text("\n".join(json.dumps({"messages": talk(w, w[-1])}) for w in words) + "\n", encoding="utf-8")
    return path


def talk(question, answer):
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


@pytest.fixture(scope="module")
def base():
    tokenizer = CharTokenizer.train(LETTERS)
    config = GPTConfig(vocab=tokenizer.vocab_size, context=16, layers=1, heads=2, width=16)
    return GPT.init(jax.random.key(0), config), tokenizer


@pytest.fixture
def config(tiny, chat_file):
    sizes = dict(width=16, batch=8, steps=30, lr=3e-2, eval_every=30, checkpoint_every=30)
    return dataclasses.replace(tiny, data=str(chat_file), **sizes)


def test_only_answers_count(base, chat_file, config, tmp_path):
    model, tokenizer = base
    task = sft.learn_answers(model, tokenizer, chat_data.read_talks(chat_file))(config, tmp_path)
    inputs, targets, counted = task.draw(task.data, jnp.int32(0))
    chatty = task.prepared.tokenizer
    row = [chatty.decode(targets[0][counted[0]]), chatty.decode(inputs[0][1:6])]
    assert row[0] == row[1][-1] + "<|end|>"
    losses = mt.ops.cross_entropy(task.start(inputs), targets)
    assert_allclose(task.loss(task.start, inputs, targets, counted), losses[counted].mean(), rtol=1e-5)
    assert len(task.data.ids) < 40 and task.start.config.vocab == tokenizer.vocab_size + 4


def test_adapters_learn_to_answer_while_the_base_stays(base, chat_file, config, tmp_path):
    model, tokenizer = base
    before = jax.tree.map(np.array, model)
    how = sft.Lora(rank=4)
    config = dataclasses.replace(config, steps=60, eval_every=60, checkpoint_every=60)
    make = sft.learn_answers(model, tokenizer, chat_data.read_talks(chat_file), how)
    first = make(config, tmp_path)
    start = first.evaluate(first.model(first.start, *first.frozen), None, None)  # type: ignore[arg-type]
    result = train(config, tmp_path / "run", task=make)
    assert result.val_loss < 0.6 * start
    jax.tree.map(np.testing.assert_array_equal, model, before)
    adapters = lora.load_adapters(tmp_path / "run" / lora.ADAPTER)
    assert paths.count(adapters) < 0.7 * paths.count(model)
    adapted = lora.attach(model, adapters)
    assert first.evaluate(lora.merge(adapted), None, None) == pytest.approx(result.val_loss, rel=1e-4)  # type: ignore[arg-type]


def test_a_whole_model_learns_preferences(base, chat_file, config, tmp_path):
    model, tokenizer = base
    path = tmp_path / "pairs.jsonl"
    rows = [json.loads(line) for line in chat_file.read_text("utf-8").splitlines()]
    rows = [{"messages": r["messages"][:1], "chosen": r["messages"][1]["content"], "rejected": "x"} for r in rows]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    make = sft.learn_preferences(model, tokenizer, chat_data.read_pairs(path), beta=0.5)
    task = make(config, tmp_path)
    batch = task.draw(task.data, jnp.int32(0))
    assert batch[0].shape == (8, 2, 16) and batch[2].sum(axis=-1).tolist() == [[2, 2]] * 8
    assert_allclose(task.loss(task.start, *batch, *task.frozen), np.log(2), rtol=1e-5)  # Nothing is learned yet.
    train(dataclasses.replace(config, lr=1e-2), tmp_path / "run", task=make)
    tuned = load_run(tmp_path / "run").model
    assert task.loss(tuned, *batch, *task.frozen) < 0.3
    assert jnp.isfinite(model.token.weight).all()  # What one began with is still there.


def test_the_loss_of_pairs_is_the_papers():
    rng = np.random.default_rng(0)
    ours, reference = rng.normal(size=(2, 5, 2))
    margin = 0.3 * ((ours - reference)[:, 0] - (ours - reference)[:, 1])
    expected = -np.log(1 / (1 + np.exp(-margin)))
    assert_allclose(sft.dpo_loss(jnp.asarray(ours), jnp.asarray(reference), 0.3), expected, rtol=1e-5)


def test_log_probabilities_of_answers_are_sums_over_their_tokens(base):
    model, _ = base
    rng = np.random.default_rng(0)
    ids, counted = rng.integers(0, 29, (3, 2, 9)), rng.random((3, 2, 8)) > 0.5
    got = sft.answer_log_probs(model, jnp.asarray(ids[..., :-1]), jnp.asarray(ids[..., 1:]), counted)
    for i in range(3):
        for j in range(2):
            p = np.asarray(jax.nn.log_softmax(model(jnp.asarray(ids[i, j, None, :-1])))[0])
            expected = sum(p[t, ids[i, j, t + 1]] for t in range(8) if counted[i, j, t])
            assert_allclose(got[i, j], expected, rtol=1e-4)


def lines(path, *rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def test_a_line_that_is_no_conversation_is_named(base, config, tmp_path):
    model, tokenizer = base
    path = tmp_path / "x.jsonl"
    with pytest.raises(FileNotFoundError, match=r"no file .*x.jsonl: give one of JSON Lines"):
        chat_data.read_talks(path)
    with pytest.raises(DataError, match=r"x.jsonl, line 2 has no field 'messages' that is a list, only 'text'"):
        chat_data.read_talks(lines(path, {"messages": []}, {"text": "a"}))
    with pytest.raises(DataError, match=r"x.jsonl, line 1 has no field 'chosen' that is a str"):
        chat_data.read_pairs(lines(path, {"messages": []}))

    def begin(*rows):
        sft.learn_answers(model, tokenizer, chat_data.read_talks(lines(path, *rows)))(config, tmp_path)

    with pytest.raises(ValueError, match=r"x.jsonl, line 1: message 0 has role 'robot'; use one of"):
        begin({"messages": [{"role": "robot", "content": "a"}]})
    with pytest.raises(
        ValueError, match=r"x.jsonl, line 1: no word of the assistant stands within the first 17 tokens"
    ):
        begin({"messages": talk("a" * 40, "b")})
    with pytest.raises(ValueError, match=r"holds 1 conversations: at least one is to train"):
        begin({"messages": talk("a", "b")})


def test_impossible_settings_are_refused(base, chat_file, config, tmp_path):
    model, tokenizer = base
    with pytest.raises(ValueError, match="beta holds the model to its reference, so it is positive"):
        sft.learn_preferences(model, tokenizer, [], beta=0)
    make = sft.learn_answers(model, tokenizer, chat_data.read_talks(chat_file))
    with pytest.raises(ValueError, match="the model reads 16 tokens, and not 32"):
        make(dataclasses.replace(config, context=32), tmp_path)
    small = CharTokenizer.train("abcdefgh")
    with pytest.raises(ValueError, match=r"the tokenizer has .* ids fewer than the model knows"):
        sft.learn_answers(model, small, chat_data.read_talks(chat_file))(config, tmp_path)
    with_head = dataclasses.replace(model, head=mt.nn.Linear(model.token.weight.T))
    make = sft.learn_answers(with_head, tokenizer, chat_data.read_talks(chat_file), sft.Lora(pattern="*"))
    with pytest.raises(ValueError, match=r"the pattern '\*' names head, which learns rows for new ids"):
        make(config, tmp_path)
