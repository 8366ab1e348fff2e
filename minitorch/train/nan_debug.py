"""Which layer broke? When a loss is NaN or infinite, the step is done once more, with an ear at every layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..autodiff import grad
from ..nn import Module, paths, static
from .config import RunConfig


class NonFiniteLoss(ArithmeticError):
    """A step whose loss or gradient is not finite: says where the numbers went too far, and what to change."""

    def __init__(self, step: int, loss: float, culprit: str, config: RunConfig):
        self.step, self.culprit = step, culprit
        super().__init__(
            f"step {step} cannot be made (its loss is {loss:.4g}): {culprit}. The weights before it are saved."
            f" Begin again with {_advice(config)}."
        )


def find_culprit(loss: Callable[..., Any], model: Any, *batch: Any) -> str:
    """Name the first layer of `loss(model, *batch)` whose output is not finite, or parameter whose gradient is not."""
    layers: list[str] = []

    @jax.jit
    def forward(model: Any, *batch: Any) -> Any:
        heard: list[Any] = []

        def listen(path: str, output: Any) -> None:
            layers.append(path)
            heard.append(_is_finite(output))

        value = loss(_tapped(model, "", listen), *batch)
        return heard, _is_finite(value)

    @jax.jit
    def backward(model: Any, *batch: Any) -> Any:
        return {
            path: (_is_finite(g), jnp.max(jnp.abs(g))) for path, g in paths.flatten(grad(loss)(model, *batch)).items()
        }

    outputs, value = jax.device_get(forward(model, *batch))
    if not all(outputs):
        return f"the first layer whose output is not finite is {layers[outputs.index(False)]}"
    if not value:
        return "every layer's output is finite, but the loss of them is not"
    gradients = jax.device_get(backward(model, *batch))
    if broken := [path for path in paths.flatten(model) if not gradients[path][0]]:  # The way back begins at the end.
        return f"the loss is finite, but the gradient of {broken[-1]} is not"
    largest = max(gradients, key=lambda path: gradients[path][1])
    return f"the gradient is too long for a float32, and {largest} has the largest"


class _Tap(Module):
    """A layer with an ear: behaves as `layer`, and tells `listen` of each output."""

    layer: Any
    path: str = static()
    listen: Callable[[str, Any], None] = static()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        output = self.layer(*args, **kwargs)
        self.listen(self.path, output)
        return output

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "layer"), name)


def _tapped(node: Any, path: str, listen: Callable[[str, Any], None]) -> Any:
    """`node` with a tap around every layer in it, each named by its path."""

    def child(name: str | int, value: Any) -> Any:
        return _tapped(value, f"{path}.{name}".lstrip("."), listen)

    if isinstance(node, list | tuple):
        return type(node)(child(i, value) for i, value in enumerate(node))
    if not isinstance(node, Module):
        return node
    names = [f.name for f in dataclasses.fields(node) if "static" not in f.metadata]
    layer = dataclasses.replace(node, **{name: child(name, getattr(node, name)) for name in names})
    return _Tap(layer, path, listen)


def _is_finite(tree: Any) -> Any:
    floats = [x for x in jax.tree.leaves(tree) if jnp.issubdtype(x.dtype, jnp.floating)]
    return jnp.all(jnp.array([jnp.isfinite(x).all() for x in floats]))


def _advice(config: RunConfig) -> str:
    advice = [f"a lower learning rate (lr, now {config.lr:g})", f"a longer warm-up (warmup, now {config.warmup_steps})"]
    if not config.clip:
        advice.append("clipping (clip 1.0)")
    if config.dtype != "float32":
        advice.append("dtype float32")
    return " or ".join([", ".join(advice[:-1]), advice[-1]])
