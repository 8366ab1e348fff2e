"""Find the first non-finite layer: when a loss is NaN or infinite, the step is re-run with a hook on every layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ..autodiff import grad
from ..nn import paths
from ..nn.hooks import first_nonfinite_output, is_finite

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import RunConfig


class NonFiniteLossError(ArithmeticError):
    """The loss or the gradient of a step is not finite; the message names the layer, and says what to change."""

    def __init__(self, step: int, loss: float, cause: str, config: RunConfig):
        self.step, self.cause = step, cause
        super().__init__(
            f"step {step} has a loss or gradient that is not finite (loss {loss:.4g}): {cause}. The weights before it"
            f" are saved. Start a new run with {_advice(config)}."
        )


def first_nonfinite_layer(loss: Callable[..., Any], model: Any, *batch: Any) -> str:
    """Name the first layer of `loss(model, *batch)` whose output is not finite, or parameter whose gradient is not."""

    @jax.jit
    def backward(model: Any, *batch: Any) -> Any:
        gradients = paths.flatten(grad(loss)(model, *batch))
        return {path: (is_finite(g), jnp.max(jnp.abs(g))) for path, g in gradients.items()}

    layer, is_loss_finite = first_nonfinite_output(loss, model, *batch)
    if layer is not None:
        return f"the first layer whose output is not finite is {layer}"
    if not is_loss_finite:
        return "the output of every layer is finite, but the loss is not"
    gradients = jax.device_get(backward(model, *batch))
    if broken := [path for path in paths.flatten(model) if not gradients[path][0]]:
        last = broken[-1]  # The backward pass starts at the end.
        return f"the loss is finite, but the gradient of {last} is not"
    largest = max(gradients, key=lambda path: gradients[path][1])
    return f"the norm of the gradient overflows float32, and {largest} has the largest gradient"


def _advice(config: RunConfig) -> str:
    advice = [f"a lower learning rate (lr, now {config.lr:g})", f"a longer warm-up (warmup, now {config.warmup_steps})"]
    if not config.clip:
        advice.append("clipping (clip 1.0)")
    if config.dtype != "float32":
        advice.append("dtype float32")
    return " or ".join([", ".join(advice[:-1]), advice[-1]])
