import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch import compress, ops
from minitorch.autodiff import grad
from minitorch.finetune.lora import ExtendedEmbedding, NewRows
from minitorch.nn import Embedding

IDS = np.array([[0, 3, 3], [6, 1, 0]])


def test_look_up_and_attend_equal_flax(filled, assert_same):
    def flax(layer, ids):
        theirs = nnx.eval_shape(lambda: nnx.Embed(7, 4, rngs=nnx.Rngs(0)))
        theirs.embedding = nnx.Param(layer.weight)
        return theirs.attend(theirs(ids) ** 2)

    layer = filled(lambda: Embedding.init(jax.random.key(0), 7, 4))
    assert_same(lambda layer, ids: layer.attend(layer(ids) ** 2), flax, layer, IDS)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("vocab", [7, 200, 256])
def test_an_unknown_id_gives_nan_and_not_another_token(vocab, dtype, embeddings):
    """Ids of every integer type, at both ends of it and of the vocabulary."""
    limits = np.iinfo(dtype)
    ends = [*range(limits.min, limits.min + 2), *range(-vocab - 1, -vocab + 2), -100, -1, 0, 1, 6, vocab - 1, vocab]
    ends += [vocab + 1, 127, 128, 255, 256, limits.max - 1, limits.max]
    ids = np.array(sorted({i for i in ends if limits.min <= i <= limits.max}), np.int64)
    known = (ids >= 0) & (ids < vocab)
    table = np.arange(1.0, 1 + 2 * vocab, dtype=np.float32).reshape(vocab, 2)
    for layer in embeddings(jnp.asarray(table)):
        vectors = layer(jnp.asarray(ids.astype(dtype)))
        np.testing.assert_array_equal(np.isnan(vectors), np.broadcast_to(~known[:, None], vectors.shape))
        np.testing.assert_allclose(vectors[known], table[ids[known]], rtol=1e-2)


@pytest.fixture
def embeddings():
    """Return every kind of embedding of one table: plain, quantized, and each with the last rows as new ones."""

    def layers(table):
        quantized = compress.quantize(Embedding(table), compress.RECIPES["int8"])
        base, rows = table[:-5], NewRows(table[-5:])
        plain, small = Embedding(base), compress.quantize(Embedding(base), compress.RECIPES["int8"])
        extended = [ExtendedEmbedding(layer, rows, len(base)) for layer in (plain, small)]
        return [Embedding(table), quantized, *extended]

    return layers


def test_an_unknown_id_gives_no_gradient_to_the_table():
    weight, ids = jnp.ones((7, 4)), jnp.array([3, -1, 7, 3], jnp.int8)
    gradient = grad(lambda w: ops.sum(Embedding(w)(ids)))(weight)
    np.testing.assert_array_equal(gradient, 2 * (jnp.arange(7) == 3)[:, None] * jnp.ones(4))


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "bool"])
def test_ids_must_be_integers(dtype, embeddings):
    for layer in embeddings(jnp.ones((7, 4))):
        with pytest.raises(TypeError, match=rf"ids of dtype {dtype}: encode the text"):
            layer(jnp.ones(4, dtype))
