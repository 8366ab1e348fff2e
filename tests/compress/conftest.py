import random

import jax
import pytest

from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig
from minitorch.train import RunConfig

SIZES = dict(vocab=11, context=8, layers=2, heads=2, width=8)


@pytest.fixture
def gpt(filled):
    """A small GPT with biases, of drawn weights."""
    return filled(lambda: GPT.init(jax.random.key(0), GPTConfig(**SIZES, bias=True)))


@pytest.fixture
def llama(filled):
    """A small Llama whose four heads share two key heads."""
    sizes = SIZES | dict(heads=4, kv_heads=2)
    return filled(lambda: Llama.init(jax.random.key(0), LlamaConfig(**sizes, feedforward=12)))


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    """Invented words: no passage comes twice, so that no check of the data objects."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 7))) for _ in range(200)]
    path = tmp_path_factory.mktemp("data") / "words.txt"
    path.write_text("\n".join(" ".join(rng.choices(words, k=10)) for _ in range(150)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(text_file):
    """Settings of a run of a second."""
    sizes = dict(layers=1, heads=2, width=8, context=16, batch=4)
    return RunConfig(data=str(text_file), **sizes, steps=12, lr=1e-2, eval_every=12, checkpoint_every=12)
