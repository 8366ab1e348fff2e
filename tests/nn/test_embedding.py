import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from minitorch.nn import Embedding

IDS = np.array([[0, 3, 3], [6, 1, 0]])


def test_look_up_and_attend_equal_flax(filled, assert_same):
    def flax(layer, ids):
        theirs = nnx.eval_shape(lambda: nnx.Embed(7, 4, rngs=nnx.Rngs(0)))
        theirs.embedding = nnx.Param(layer.weight)
        return theirs.attend(theirs(ids) ** 2)

    layer = filled(lambda: Embedding.init(jax.random.key(0), 7, 4))
    assert_same(lambda layer, ids: layer.attend(layer(ids) ** 2), flax, layer, IDS)


def test_an_unknown_id_gives_nan_and_not_another_token():
    layer = Embedding(jnp.ones((7, 4)))
    assert np.isnan(layer(jnp.array([7]))).all()
    assert not np.isnan(layer(IDS)).any()


@pytest.mark.usefixtures("without_type_checks")
def test_ids_must_be_integers():
    with pytest.raises(TypeError, match=r"ids of dtype float32: encode the text"):
        Embedding(jnp.ones((7, 4)))(jnp.ones(3))
