import jax
import numpy as np
import pytest

from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig

SIZES = dict(vocab=29, context=8, layers=2, heads=4, width=16)


@pytest.fixture(scope="session")
def untrained():
    """Make a model with weights so large that each token depends on those before it, without compiling."""

    def make(model, config, dtype="float32"):
        rng = np.random.default_rng(3)  # Among the first few seeds, the one whose greedy texts vary most.
        like = jax.eval_shape(lambda: model.init(jax.random.key(0), config))
        return jax.tree.map(lambda x: jax.numpy.asarray(rng.normal(0, 0.5, x.shape), dtype), like)

    return make


@pytest.fixture(scope="session")
def models(untrained):
    return {"gpt": untrained(GPT, GPTConfig(**SIZES)), "llama": untrained(Llama, LlamaConfig(**SIZES, kv_heads=2))}


@pytest.fixture(params=["gpt", "llama"])
def model(request, models):
    return models[request.param]
