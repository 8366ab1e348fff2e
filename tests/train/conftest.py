import pytest

from minitorch.train import RunConfig, train


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
