"""What goes into each layer of a model, and what comes out? A listening layer behaves as its own and tells.

The list that hears it is made for one call and returned from it, so that a function that listens stays a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax

from . import Module, paths, static

Array = jax.Array
Listen = Callable[[str, Any, Any], None]


class Listening(Module):
    """`layer`, which tells `listen(path, x, y)` of each call."""

    layer: Any
    path: str = static()
    listen: Listen = static()

    def __call__(self, x: Array) -> Array:
        y = self.layer(x)
        self.listen(self.path, x, y)
        return y

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "layer"), name)


def listening(model: Any, layers: Mapping[str, Any], listen: Listen) -> Any:
    """`model` with an ear at each of `layers`, its own by their paths."""
    return paths.replace(model, {path: Listening(layer, path, listen) for path, layer in layers.items()})


def layer_inputs(model: Any, layers: Mapping[str, Any], *inputs: Any) -> dict[str, Array]:
    """What each of `layers` is given in `model(*inputs)`, by path."""
    heard: dict[str, Array] = {}
    listening(model, layers, lambda path, x, y: heard.__setitem__(path, x))(*inputs)
    return heard
