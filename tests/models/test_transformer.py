import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.models import GPT, GPTConfig, Llama, LlamaConfig
from minitorch.nn import cast

KEY = jax.random.key(0)
SMALL = dict(vocab=11, context=8, layers=2, heads=2, width=8, dropout=0.2)
IDS = np.random.default_rng(1).integers(0, 11, size=(2, 8))
forward = jax.jit(lambda model, ids, key=None: model(ids, key))
decode = jax.jit(lambda model, ids, cache: model.decode(ids, cache))


@pytest.fixture(params=["gpt", "llama"])
def model(request, filled):
    if request.param == "gpt":
        return filled(lambda: GPT.init(KEY, GPTConfig(**SMALL)))
    return filled(lambda: Llama.init(KEY, LlamaConfig(**SMALL, kv_heads=1)))


def test_later_tokens_do_not_change_earlier_logits(model):
    changed = IDS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    here, there = forward(model, IDS), forward(model, changed)
    assert here.shape == (2, 8, 11)
    np.testing.assert_allclose(here[:, :5], there[:, :5], rtol=1e-5, atol=1e-6)
    assert (np.abs(here - there).max(axis=(0, 2))[5:] > 1e-3).all()


def test_decoding_through_a_cache_equals_one_forward_pass(model):
    cache = model.init_cache(batch=2)
    logits = []
    for piece in (IDS[:, :5], IDS[:, 5:6], IDS[:, 6:7], IDS[:, 7:]):
        y, cache = decode(model, piece, cache)
        logits.append(y)
    np.testing.assert_allclose(np.concatenate(logits, axis=1), forward(model, IDS), rtol=1e-3, atol=1e-4)


def test_dropout_needs_a_key_and_follows_it(model):
    plain, once, again, other = (forward(model, IDS, key) for key in (None, KEY, KEY, jax.random.key(1)))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(plain, once, atol=1e-2)
    assert not np.allclose(once, other, atol=1e-2)


def test_bfloat16_is_close_to_float32_and_its_logits_and_gradients_are_float32(model, assert_same):
    def rounded(model, ids):
        return cast(model, jnp.bfloat16)(ids)

    assert cast(model, jnp.bfloat16).init_cache(1)[0].k.dtype == jnp.bfloat16
    error = jax.jit(rounded)(model, IDS) - forward(model, IDS)
    assert 0 < np.abs(error).max() < 0.05
    assert_same(rounded, rounded, model, IDS, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(("dtype", "unknown"), [("int8", -1), ("int8", -100), ("uint8", 11), ("int32", 300)])
def test_an_unknown_id_gives_nan_in_its_text_only(model, dtype, unknown):
    ids = IDS.astype(dtype)
    ids[0, 5] = unknown
    logits = forward(model, ids)
    assert np.isnan(logits[0, 5:]).all()
    np.testing.assert_array_equal(logits[1], forward(model, IDS)[1])
    _, cache = decode(model, ids[:, :4], model.init_cache(2))
    assert np.isnan(decode(model, ids[:, 4:], cache)[0][0, 1:]).all()


@pytest.mark.usefixtures("without_type_checks")
def test_ids_that_are_floats_are_refused(model):
    with pytest.raises(TypeError, match="ids of dtype float32"):
        model(jnp.asarray(IDS, jnp.float32))


@pytest.mark.usefixtures("without_type_checks")
def test_more_tokens_than_the_context_and_other_shapes_are_rejected(model):
    with pytest.raises(ValueError, match=r"9 tokens are more than the context of 8 .*ids\[:, -8:\]"):
        model(np.zeros((1, 9), int))
    with pytest.raises(ValueError, match=r"9 tokens are more than the context of 8"):
        model.init_cache(1, 9)
    with pytest.raises(ValueError, match=r"ids \(B, T\), but got shape \(8,\): for one text, give ids\[None\]"):
        model(IDS[0])
