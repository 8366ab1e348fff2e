import random

import pytest

from minitorch.train import RunConfig, train


def write_words(path, count=1500, seed=0):
    """Write a text of invented words: no passage is repeated, so that data validation passes."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(2, 7))) for _ in range(200)]
    lines = (" ".join(rng.choices(words, k=10)) for _ in range(count // 10))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    return write_words(tmp_path_factory.mktemp("data") / "words.txt")


@pytest.fixture(scope="session")
def tiny(text_file):
    """Return the settings of a run that takes a second."""
    sizes = dict(layers=1, heads=2, width=16, context=16, batch=4)
    return RunConfig(data=str(text_file), **sizes, steps=24, lr=1e-2, eval_every=10, checkpoint_every=8)


class Recorder(list):
    """A sink that keeps all rows."""

    def log(self, step, values):
        self.append((step, dict(values)))


@pytest.fixture(scope="session")
def finished(tiny, tmp_path_factory):
    """Return the result of an uninterrupted run, and the rows that its sink received."""
    recorder = Recorder()
    return train(tiny, tmp_path_factory.mktemp("runs") / "finished", sinks=[recorder]), recorder
