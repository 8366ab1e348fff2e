"""Losses, which training minimizes, and accuracy, which people read."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Bool, Float, Integer, Num

from .. import ops
from .._types import Array
from .precision import at_least_float32


def cross_entropy(
    logits: Float[Array, "*batch V"], targets: Integer[Array, "*batch"], where: Bool[Array, "*batch"] | None = None
) -> Float[Array, ""]:
    """Return the mean of -log softmax(logits)[target], in nats, in float32.

    If `where` is given, the mean is over the tokens where it holds; 0 if there are none.

    Raises:
      ValueError: the shapes do not fit.
      TypeError: the targets are not integers.
    """
    _check_targets("cross_entropy", logits, targets, where)
    return _mean(ops.cross_entropy(at_least_float32(logits), jnp.asarray(targets)), where)


def accuracy(
    logits: Float[Array, "*batch V"], targets: Integer[Array, "*batch"], where: Bool[Array, "*batch"] | None = None
) -> Float[Array, ""]:
    """Return the share of targets that have the highest logit. `where` and errors are as in `cross_entropy`."""
    _check_targets("accuracy", logits, targets, where)
    hits = ops.argmax(logits, axis=-1) == targets
    return _mean(hits.astype(jnp.float32), where)


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


def _mean(losses: Any, where: Array | None) -> Any:
    if where is None:
        return ops.mean(losses)
    return ops.sum(ops.where(where, losses, 0)) / jnp.maximum(jnp.sum(where), 1)


def _check_targets(name: str, logits: Array, targets: Array, where: Array | None) -> None:
    if logits.shape[:-1] != targets.shape or (where is not None and where.shape != targets.shape):
        mask = "" if where is None else f" and where {tuple(where.shape)}"
        raise ValueError(
            f"{name} needs logits (..., V) and targets (...), but got logits {tuple(logits.shape)}, targets"
            f" {tuple(targets.shape)}{mask}: one target, a class number and not a one-hot row, for each row of logits."
        )
    if not jnp.issubdtype(targets.dtype, jnp.integer):
        raise TypeError(f"{name} needs integer targets (class numbers), but their dtype is {targets.dtype}.")
