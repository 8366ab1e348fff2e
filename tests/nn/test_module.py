import copy
import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from minitorch.autodiff import grad
from minitorch.nn import Linear, Module, static
from minitorch.nn.init import fold_in_name, normal


class Stack(Module):
    layers: list[Linear]
    named: dict[str, Linear]
    scale: jax.Array | None = None
    rate: float = static(default=0.5)


def stack() -> Stack:
    layer = Linear.init(jax.random.key(0), 2, 3)
    return Stack([layer, layer], {"a": layer}, None, rate=0.25)


def test_arrays_are_leaves_and_static_fields_are_structure():
    model = stack()
    assert len(jax.tree.leaves(model)) == 6
    assert jax.tree.structure(model) == jax.tree.structure(stack())
    assert jax.tree.structure(model) != jax.tree.structure(dataclasses.replace(model, rate=0.5))


def test_leaves_are_named_by_their_fields():
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(stack())]
    assert paths[:2] == [".layers[0].weight", ".layers[0].bias"]
    assert paths[-1] == ".named['a'].bias"


def test_a_model_goes_through_jit_vmap_and_grad_and_stays_a_model():
    model = stack()
    doubled = jax.jit(lambda m: jax.tree.map(lambda x: 2 * x, m))(model)
    assert isinstance(doubled, Stack)
    assert doubled.rate == 0.25
    np.testing.assert_allclose(doubled.layers[1].weight, 2 * model.layers[1].weight)
    many = jax.vmap(lambda key: Linear.init(key, 2, 3))(jax.random.split(jax.random.key(0), 4))
    assert many.weight.shape == (4, 2, 3)
    slope = grad(lambda m: (m.layers[0].weight * m.named["a"].weight).sum())(model)
    assert isinstance(slope, Stack)
    np.testing.assert_allclose(slope.layers[0].weight, model.named["a"].weight)


def test_only_a_changed_static_field_compiles_again():
    traces = []

    @jax.jit
    def rate(model):
        traces.append(model.rate)
        return model.layers[0].weight * model.rate

    model = stack()
    for other in (model, stack(), dataclasses.replace(model, rate=0.75)):
        rate(other)
    assert traces == [0.25, 0.75]


@pytest.mark.parametrize(
    "leaf", [None, object(), "a name", PartitionSpec("data"), jax.ShapeDtypeStruct((2,), jnp.float32)]
)
def test_the_constructor_holds_anything(leaf):
    assert Linear(leaf).weight is leaf


def test_setting_an_attribute_says_what_to_write_instead():
    layer = stack().layers[0]
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"layer = dataclasses.replace\(layer, bias=value\)"):
        layer.bias = None  # pyright: ignore
    with pytest.raises(dataclasses.FrozenInstanceError, match=r"nn.paths.replace"):
        del layer.bias  # pyright: ignore
    assert dataclasses.replace(layer, bias=None).bias is None


def test_a_new_or_missing_layer_leaves_the_initial_values_of_the_others():
    class Small(Module):
        a: Linear
        b: Linear

    def build(names):
        key = jax.random.key(7)
        return {name: Linear.init(fold_in_name(key, name), 3, 3, weight_init=normal()) for name in names}

    few, many = build(["a", "c"]), build(["a", "b", "c", "d"])
    np.testing.assert_array_equal(few["a"].weight, many["a"].weight)
    np.testing.assert_array_equal(few["c"].weight, many["c"].weight)
    assert not np.allclose(many["a"].weight, many["b"].weight)


def test_printing_shows_names_shapes_dtypes_and_counts():
    assert repr(stack()) == "\n".join(
        [
            "Stack(rate=0.25): 27 parameters",
            "  layers: list of 2: 18 parameters",
            "    0-1: Linear: 9 parameters",
            "      weight: float32[2, 3]",
            "      bias: float32[3]",
            "  named: dict of 1: 9 parameters",
            "    a: Linear: 9 parameters",
            "      weight: float32[2, 3]",
            "      bias: float32[3]",
            "  scale: None",
        ]
    )


def test_printing_works_on_shapes_and_under_a_gradient():
    shapes = jax.eval_shape(stack)
    assert repr(shapes) == repr(stack())
    seen = []
    grad(lambda m: seen.append(repr(m)) or m.layers[0].weight.sum())(stack())
    assert seen == [repr(stack())]


def test_a_model_can_be_copied_and_pickled():
    model = Linear.init(jax.random.key(0), 2, 3)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.weight, model.weight)
