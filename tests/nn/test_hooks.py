import jax
import jax.numpy as jnp
import pytest

import minitorch as mt
from minitorch import nn, ops
from minitorch.nn.hooks import Hooked, layer_inputs, with_hooks


class Scale(nn.Module):
    factor: jax.Array
    unit: str = nn.static(default="m")

    def __call__(self, x, shift=0.0):
        return x * self.factor + shift


class Net(nn.Module):
    first: Scale
    rest: dict[str, list[Scale]]

    def __call__(self, x):
        x = self.first(x, shift=1.0)
        for layer in self.rest["b"]:
            x = layer(x)
        return x


@pytest.fixture
def net():
    return Net(Scale(jnp.array(2.0)), {"b": [Scale(jnp.array(3.0)), Scale(jnp.array(5.0))]})


def test_a_hook_is_called_after_every_layer_in_forward_order_with_path_arguments_and_output(net):
    calls = []
    y = with_hooks(net, lambda *call: calls.append(call))(1.0)
    assert y == 45
    assert calls == [("first", (1.0,), 3.0), ("rest.b.0", (3.0,), 9.0), ("rest.b.1", (9.0,), 45.0), ("", (1.0,), 45.0)]


def test_where_selects_layers_by_path_and_type(net):
    calls = []
    with_hooks(net, lambda path, args, output: calls.append(path), lambda path, layer: path.endswith("1"))(1.0)
    assert calls == ["rest.b.1"]
    calls.clear()
    with_hooks(net, lambda path, args, output: calls.append(path), lambda path, layer: isinstance(layer, Net))(1.0)
    assert calls == [""]


def test_a_hooked_layer_has_the_attributes_of_its_layer_and_the_model_is_unchanged(net):
    hooked = with_hooks(net, lambda *call: None)
    assert isinstance(hooked, Hooked)
    assert hooked.first.unit == "m"
    assert hooked.first.factor == 2
    with pytest.raises(AttributeError, match="nothing"):
        _ = hooked.nothing
    assert not isinstance(net.first, Hooked)


def test_a_hooked_model_gives_the_same_gradients_and_hooks_see_the_traced_values(net):
    paths, shapes = [], []

    def loss(model, x):
        def hook(path, args, output):
            paths.append(path)
            shapes.append(output.shape)

        return ops.sum(with_hooks(model, hook)(x))

    x = jnp.ones(4)
    expected = mt.grad(lambda model: ops.sum(model(x)))(net)
    assert jax.tree.map(float, jax.tree.leaves(jax.jit(mt.grad(loss))(net, x))) == [
        float(g) for g in jax.tree.leaves(expected)
    ]
    assert paths == ["first", "rest.b.0", "rest.b.1", ""]
    assert shapes == [(4,)] * 4


def test_layer_inputs_are_the_first_arguments_of_the_named_layers(net):
    assert layer_inputs(net, ["rest.b.1", "first"], 1.0) == {"first": 1.0, "rest.b.1": 9.0}
