import pytest

from minitorch.train import RunConfig


@pytest.fixture(scope="session")
def tiny(text_file):
    """Return the settings of a run that takes a second."""
    sizes = dict(layers=1, heads=2, width=8, context=16, batch=4)
    return RunConfig(data=str(text_file), **sizes, steps=12, lr=1e-2, eval_every=12, checkpoint_every=12)
