"""Losses, which training minimizes, and accuracy, which people read."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Bool, Float, Integer, Num

from .. import ops
from .._types import Array
from ..ops.fused import check_targets, nan_outside
from .mean import masked_mean
from .precision import at_least_float32


def cross_entropy(
    logits: Float[Array, "*batch V"], targets: Integer[Array, "*batch"], where: Bool[Array, "*batch"] | None = None
) -> Float[Array, ""]:
    """Return the mean of -log softmax(logits)[target], in nats, in float32.

    With `where`, the mean is over the tokens where it holds; 0 if there are none. A target outside of [0, V) gives NaN,
    unless `where` leaves it out: for targets of -100, as in PyTorch, pass `where=targets != -100`.

    Raises:
      ValueError: the shapes do not fit, or `where` is not boolean.
      TypeError: the targets are not integers.
    """
    return _mean(ops.cross_entropy(at_least_float32(logits), targets), where)


def accuracy(
    logits: Float[Array, "*batch V"], targets: Integer[Array, "*batch"], where: Bool[Array, "*batch"] | None = None
) -> Float[Array, ""]:
    """Return the share of targets that have the highest logit. `where`, NaN and errors are as in `cross_entropy`."""
    check_targets("accuracy", logits, targets)
    hits = (ops.argmax(logits, axis=-1) == targets).astype(jnp.float32)
    return _mean(hits + nan_outside(targets, logits.shape[-1]), where)


def mse(predictions: Float[Array, "*shape"], targets: Num[Array, "*shape"]) -> Float[Array, ""]:
    """Return the mean of the squared differences.

    Raises:
      ValueError: the shapes differ. Broadcasting (N, 1) against (N,) would compare each number with all.
    """
    if predictions.shape != targets.shape:
        raise ValueError(
            f"mse compares predictions and targets of one shape, but got {tuple(predictions.shape)} and"
            f" {tuple(targets.shape)}: reshape one of them."
        )
    return ops.mean(ops.square(predictions - targets))


def _mean(values: Any, where: Array | None) -> Any:
    return ops.mean(values) if where is None else masked_mean(values, where)
