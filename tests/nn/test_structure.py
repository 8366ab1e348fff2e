import json

import jax
import pytest

from minitorch.models import GPT, Llama, LlamaConfig
from minitorch.models.gpt import GPTConfig
from minitorch.nn import Module, static, structure

SIZES = dict(vocab=7, context=8, layers=2, heads=2, width=8)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GPT.init(jax.random.key(0), GPTConfig(**SIZES, bias=True)),
        lambda: Llama.init(jax.random.key(0), LlamaConfig(**SIZES, kv_heads=1, tied=True)),
    ],
)
def test_a_model_comes_back_from_json_with_its_settings_and_shapes(make):
    model = jax.eval_shape(make)
    again = structure.from_json(json.loads(json.dumps(structure.to_json(model))))
    assert jax.tree.structure(again) == jax.tree.structure(model)  # Settings included: they are part of it.
    assert jax.tree.leaves(again) == jax.tree.leaves(model)


def test_tuples_lists_and_dicts_keep_their_content():
    tree = {"a": [jax.ShapeDtypeStruct((2,), "int8"), None], "b": {}}
    assert structure.from_json(structure.to_json(tree)) == tree


def test_a_setting_that_cannot_be_written_is_refused():
    class Odd(Module):
        act: object = static()

    with pytest.raises(TypeError, match="a setting of type function cannot be written as JSON: use numbers"):
        structure.to_json(Odd(lambda x: x))


@pytest.mark.parametrize(
    "wrong",
    [
        {"class": "os.system", "settings": {}, "parts": {}},
        {"class": "minitorch.nn.structure.to_json", "settings": {}, "parts": {}},
        {"class": "minitorch.nn.linear.Gone", "settings": {}, "parts": {}},
        {"class": "minitorch.nn.linear.Linear", "settings": {"color": 1}, "parts": {}},
        {"class": "minitorch.models.config.Config", "settings": {}, "parts": {}},
        {"parts": 3},
        "GPT",
    ],
)
def test_an_invalid_description_is_refused_and_never_executed(wrong):
    with pytest.raises(ValueError, match="not the description of a minitorch model"):
        structure.from_json(wrong)
