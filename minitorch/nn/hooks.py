"""Forward hooks: call a function with the arguments and the output of each layer of a model.

    outputs = {}
    with_hooks(model, lambda path, args, output: outputs.__setitem__(path, output))(ids)

A hook sees tracers inside `jax.jit` and tensors while a tape records: what it collects must not outlive either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import keystr, tree_flatten_with_path

from .module import Module, static

Hook = Callable[[str, tuple[Any, ...], Any], None]


class Hooked(Module):
    """A layer that calls `hook(path, args, output)` after each of its calls, and otherwise behaves as `layer`."""

    layer: Any
    path: str = static()
    hook: Hook = static()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        output = self.layer(*args, **kwargs)
        self.hook(self.path, args, output)
        return output

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "layer"), name)


def with_hooks(model: Any, hook: Hook, where: Callable[[str, Module], bool] = lambda path, layer: True) -> Any:
    """Return a copy of `model` that calls `hook(path, args, output)` after each layer, in the order of the calls.

    The predicate `where` of path and layer selects the layers, at any depth. The path of the model itself is "".
    """

    def wrap(node: Any, path: tuple[Any, ...]) -> Any:
        children, structure = tree_flatten_with_path(
            node, is_leaf=lambda child: isinstance(child, Module) and child is not node
        )
        parts = (wrap(child, path + keys) if isinstance(child, Module) else child for keys, child in children)
        copy = structure.unflatten(parts)
        name = keystr(path, simple=True, separator=".")
        return Hooked(copy, name, hook) if isinstance(node, Module) and where(name, node) else copy

    return wrap(model, ())


def layer_inputs(model: Any, names: Collection[str], *inputs: Any) -> dict[str, Any]:
    """Return the first argument of each layer whose path is in `names`, by path, when `model(*inputs)` runs."""
    first: dict[str, Any] = {}

    def hook(path: str, args: tuple[Any, ...], output: Any) -> None:
        first[path] = args[0]

    with_hooks(model, hook, lambda path, layer: path in names)(*inputs)
    return first


def first_nonfinite_output(function: Callable[..., Any], model: Any, *inputs: Any) -> tuple[str | None, bool]:
    """Find the first layer whose output is not finite when `function(model, *inputs)` runs.

    Returns:
      The path of the layer ("the model itself" for the whole), or None, and whether the result of `function` is finite.
    """
    layers: list[str] = []

    @jax.jit
    def run(model: Any, *inputs: Any) -> tuple[list[Any], Any]:
        finite: list[Any] = []

        def hook(path: str, args: tuple[Any, ...], output: Any) -> None:
            layers.append(path or "the model itself")
            finite.append(is_finite(output))

        result = function(with_hooks(model, hook), *inputs)
        return finite, is_finite(result)

    outputs, result = jax.device_get(run(model, *inputs))
    return next((layer for layer, finite in zip(layers, outputs, strict=True) if not finite), None), bool(result)


def is_finite(tree: Any) -> Any:
    """Return whether all floating-point numbers of `tree` are finite: a boolean array ()."""
    floats = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.floating)]
    return jnp.all(jnp.array([jnp.isfinite(x).all() for x in floats]))
