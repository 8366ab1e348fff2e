import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.autodiff import grad
from minitorch.nn import LayerNorm, Linear, Module, paths


class Net(Module):
    blocks: list[Linear]
    norm: LayerNorm


def net() -> Net:
    keys = jax.random.split(jax.random.key(0), 2)
    return Net([Linear.init(keys[0], 2, 3), Linear.init(keys[1], 3, 2, bias=False)], LayerNorm.init(keys[0], 2))


NAMES = ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "norm.scale", "norm.bias"]


def test_flatten_names_every_array():
    assert list(paths.flatten(net())) == NAMES
    assert paths.flatten(net())["blocks.0.bias"].shape == (3,)


def test_unflatten_inverts_flatten_from_a_model_or_its_shapes():
    model = net()
    for like in (model, jax.eval_shape(net)):
        again = paths.unflatten(like, paths.flatten(model))
        assert jax.tree.all(jax.tree.map(np.array_equal, again, model))


def test_loading_lists_every_missing_unexpected_and_misshapen_weight_at_once():
    arrays = paths.flatten(net())
    arrays["extra.weight"] = arrays.pop("norm.scale")
    arrays["blocks.1.weight"] = jnp.zeros((2, 3))
    with pytest.raises(ValueError, match="these weights do not fit this model") as error:
        paths.unflatten(net(), arrays)
    message = str(error.value)
    assert "missing:     norm.scale (2,)" in message
    assert "unexpected:  extra.weight (2,)" in message
    assert "wrong shape: blocks.1.weight is (2, 3), the model has (3, 2)" in message


def test_find_matches_arrays_by_glob_and_layers_by_type():
    assert list(paths.find(net(), "*.weight")) == ["blocks.0.weight", "blocks.1.weight"]
    assert list(paths.find(net(), "norm.*")) == ["norm.scale", "norm.bias"]
    assert list(paths.find(net(), kind=Linear)) == ["blocks.0", "blocks.1"]
    assert list(paths.find(net(), "blocks.1", Linear)) == ["blocks.1"]
    assert paths.find(net(), "nothing") == {}


def test_replace_changes_arrays_layers_and_none_and_leaves_the_original():
    model = net()
    before = repr(model)
    new = paths.replace(model, {"blocks.0.bias": None, "norm.scale": jnp.ones(5), "blocks.1.bias": jnp.ones(2)})
    assert new.blocks[0].bias is None
    assert new.norm.scale.shape == (5,)
    assert new.blocks[1].bias.shape == (2,)
    assert repr(model) == before
    swapped = paths.replace(model, {"blocks.0": model.blocks[1]})
    assert swapped.blocks[0] is model.blocks[1]


def test_replace_of_an_unknown_path_names_the_nearest():
    with pytest.raises(ValueError, match=r"Net has the path 'block.0.weight'. The nearest: blocks.0.weight"):
        paths.replace(net(), {"block.0.weight": 0})


def test_replace_lets_the_gradient_through():
    def loss(model):
        doubled = paths.replace(model, {p: 2 * x for p, x in paths.find(model, "blocks.*").items()})
        return doubled.blocks[0].bias.sum()

    np.testing.assert_allclose(grad(loss)(net()).blocks[0].bias, 2.0)


def test_map_with_path_passes_the_path():
    mask = paths.map_with_path(lambda path, x: x.ndim > 1 and "0" in path, net())
    assert paths.flatten(mask) == dict(zip(NAMES, [True, False, False, False, False], strict=True))


def test_count_adds_up_the_sizes_of_arrays_or_shapes():
    assert paths.count(net()) == paths.count(jax.eval_shape(net)) == 6 + 3 + 6 + 2 + 2


def test_safetensors_give_back_the_same_bytes(tmp_path):
    tree = {"a": jnp.arange(6.0).reshape(2, 3).T, "b": [jnp.bfloat16(1.5), jnp.arange(3)], "c": net()}
    paths.save_safetensors(tree, tmp_path / "model.safetensors")
    again = paths.unflatten(tree, paths.load_safetensors(tmp_path / "model.safetensors"))
    for old, new in zip(jax.tree.leaves(tree), jax.tree.leaves(again), strict=True):
        assert old.dtype == new.dtype
        np.testing.assert_array_equal(old, new)
    assert [f.name for f in tmp_path.iterdir()] == ["model.safetensors"]


def test_other_libraries_read_our_safetensors(tmp_path):
    from safetensors.numpy import load_file

    paths.save_safetensors(net(), tmp_path / "model.safetensors")
    assert sorted(load_file(tmp_path / "model.safetensors")) == sorted(NAMES)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "model.safetensors"
    paths.save_safetensors(net(), file)
    old = file.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        paths.save_safetensors({"a": jnp.zeros(1)}, file)
    assert file.read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_or_truncated_file_says_so(tmp_path):
    file = tmp_path / "model.safetensors"
    with pytest.raises(FileNotFoundError):
        paths.load_safetensors(file)
    paths.save_safetensors(net(), file)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"model.safetensors is not a complete safetensors file"):
        paths.load_safetensors(file)
