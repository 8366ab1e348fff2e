import json

import jax
import numpy as np
import pytest

from minitorch.models import GPT, GPTConfig
from minitorch.text import CharTokenizer
from minitorch.train import RunConfig

LETTERS = "abcdefghijklmnopqrstuvwxyz ?.\n"


def conversation(question, answer):
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


@pytest.fixture(scope="session")
def questions():
    """Return conversations to learn from: the answer to a question is its last letter."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 5)) for _ in range(40)]
    return [{"messages": conversation(word, word[-1])} for word in words]


@pytest.fixture(scope="session")
def chat_file(questions, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "chat.jsonl"
    path.write_text("\n".join(map(json.dumps, questions)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def base():
    """Return a small model and its tokenizer."""
    tokenizer = CharTokenizer.train(LETTERS)
    config = GPTConfig(vocab=tokenizer.vocab_size, context=16, layers=1, heads=2, width=16)
    return GPT.init(jax.random.key(0), config), tokenizer


@pytest.fixture(scope="session")
def config(chat_file):
    """Return the settings of a run that takes a second."""
    sizes = dict(layers=1, heads=2, width=16, context=16, batch=8)
    return RunConfig(data=str(chat_file), **sizes, steps=30, lr=3e-2, eval_every=30, checkpoint_every=30)
