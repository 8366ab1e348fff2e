import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import minitorch as mt
from minitorch.finetune import LoRAConfig, chat_data, lora
from minitorch.finetune.sft import sft
from minitorch.nn import paths
from minitorch.text import CharTokenizer
from minitorch.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def conversations(chat_file):
    return chat_data.read_conversations(chat_file)


def test_only_answers_count(base, conversations, config, tmp_path):
    model, tokenizer = base
    task = sft(model, tokenizer, conversations)(config, tmp_path)
    inputs, targets, counted = task.get_batch(task.data, jnp.int32(0))
    chat_tokenizer = task.prepared.tokenizer
    answer, question = chat_tokenizer.decode(targets[0][counted[0]]), chat_tokenizer.decode(inputs[0][1:6])
    assert answer == question[-1] + "<|end|>"
    losses = mt.ops.cross_entropy(jax.jit(lambda model: model(inputs))(task.start), targets)
    assert_allclose(jax.jit(task.loss)(task.start, inputs, targets, counted), losses[counted].mean(), rtol=1e-5)
    assert len(task.data.ids) < 40  # The others are for validation.
    assert task.start.config.vocab == tokenizer.vocab_size + 4


def test_adapters_learn_to_answer_and_the_base_stays(base, conversations, config, tmp_path):
    model, tokenizer = base
    before = jax.tree.map(np.array, model)
    config = dataclasses.replace(config, steps=60, eval_every=60, checkpoint_every=60)
    make = sft(model, tokenizer, conversations, LoRAConfig(rank=4))
    task = make(config, tmp_path)
    start = task.evaluate(task.model(task.start, *task.frozen), None, None)  # type: ignore[arg-type]
    result = train(config, tmp_path / "run", task=make)
    assert result.val_loss < 0.6 * start
    jax.tree.map(np.testing.assert_array_equal, model, before)
    adapters = lora.load_adapters(tmp_path / "run" / lora.ADAPTER)
    assert paths.count(adapters) < 0.7 * paths.count(model)
    merged = lora.merge(lora.attach(model, adapters))
    assert task.evaluate(merged, None, None) == pytest.approx(result.val_loss, rel=1e-4)  # type: ignore[arg-type]


def test_impossible_settings_raise(base, conversations, config, tmp_path):
    model, tokenizer = base
    with pytest.raises(ValueError, match="the model reads 16 tokens, and not 32"):
        sft(model, tokenizer, conversations)(dataclasses.replace(config, context=32), tmp_path)
    with pytest.raises(ValueError, match=r"the tokenizer has .* ids fewer than the model"):
        sft(model, CharTokenizer.train("abcdefgh"), conversations)(config, tmp_path)
    with_head = dataclasses.replace(model, head=mt.nn.Linear(model.token.weight.T))
    with pytest.raises(ValueError, match=r"the pattern '\*' matches head, which gets rows for new ids"):
        sft(with_head, tokenizer, conversations, LoRAConfig(pattern="*"))(config, tmp_path)
    quantized = mt.compress.quantize(model, mt.compress.RECIPES["int8"])
    with pytest.raises(ValueError, match="a quantized model cannot be trained as a whole: train adapters"):
        sft(quantized, tokenizer, conversations)(config, tmp_path)
