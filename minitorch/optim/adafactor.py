"""Adafactor: the second moment of a matrix is stored as one row and one column, so the state is small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from .transform import Schedule, Transform, at_state_dtype, chain, scale_by_learning_rate, stateless, zeros_for_state
from .validation import Number, check_above, check_at_least, need_params

if TYPE_CHECKING:
    from .._types import PyTree


class RowColumn(NamedTuple):
    """Means of the squared gradient over its longest axis (`row`) and over its second longest (`column`)."""

    row: jax.Array
    column: jax.Array


class FactoredState(NamedTuple):
    """The number of finished steps, and the second moments: a `RowColumn`, or an array for a small parameter."""

    count: jax.Array
    moments: PyTree


def scale_by_factored_rms(
    min_dim_size_to_factor: int = 128, decay_rate: Number = 0.8, eps: Number = 1e-30
) -> Transform:
    """Divide by sqrt(nu), where nu of a matrix is rebuilt from the means of its rows and columns; see `adafactor`.

    Raises:
      ValueError: not (eps > 0, decay_rate > 0 and min_dim_size_to_factor >= 1).
    """
    check_above("adafactor", "eps", eps, 0, "It keeps a zero gradient from dividing by zero; usual is 1e-30.")
    check_above("adafactor", "decay_rate", decay_rate, 0, "The decay at step t is 1 - t^(-decay_rate); usual is 0.8.")
    check_at_least("adafactor", "min_dim_size_to_factor", min_dim_size_to_factor, 1, "Smaller axes are kept whole.")

    def init(params: PyTree) -> FactoredState:
        def moment(zeros: jax.Array) -> Any:
            if zeros.ndim < 2 or sorted(zeros.shape)[-2] < min_dim_size_to_factor:
                return zeros
            second, longest = _axes(zeros)
            return RowColumn(zeros.mean(longest), zeros.mean(second))

        return FactoredState(jnp.zeros((), jnp.int32), jax.tree.map(moment, zeros_for_state(params)))

    def update(updates: PyTree, state: FactoredState, params: PyTree = None) -> tuple[PyTree, FactoredState]:
        count = state.count + 1
        decay = 1 - count.astype(jnp.float32) ** -decay_rate

        def new_moment(gradient: jax.Array, moment: PyTree) -> Any:
            square = jnp.square(at_state_dtype(gradient)) + eps
            if not isinstance(moment, RowColumn):
                return decay * moment + (1 - decay) * square
            second, longest = _axes(gradient)
            return RowColumn(
                decay * moment.row + (1 - decay) * square.mean(longest),
                decay * moment.column + (1 - decay) * square.mean(second),
            )

        def rescale(gradient: jax.Array, moment: PyTree) -> jax.Array:
            if not isinstance(moment, RowColumn):
                return gradient * jax.lax.rsqrt(moment)
            second, longest = _axes(gradient)
            row, column = jnp.expand_dims(moment.row, longest), jnp.expand_dims(moment.column, second)
            return gradient * jax.lax.rsqrt(row / row.mean(second, keepdims=True)) * jax.lax.rsqrt(column)

        moments = jax.tree.map(new_moment, updates, state.moments)
        return jax.tree.map(rescale, updates, moments), FactoredState(count, moments)

    return Transform(init, update)


def clip_by_block_rms(threshold: Number) -> Transform:
    """Divide each array u by max(1, rms(u) / threshold). Raises ValueError if the threshold is not positive."""
    check_above("clip_by_block_rms", "threshold", threshold, 0, "Usual is 1.0.")
    return stateless(lambda updates, params: jax.tree.map(lambda u: u / jnp.maximum(1.0, _rms(u) / threshold), updates))


def scale_by_param_block_rms(min_scale: Number = 1e-3) -> Transform:
    """Multiply each update by max(rms(p), min_scale), where p is the parameter. Raises ValueError without `params`."""

    def update(updates: PyTree, params: PyTree) -> PyTree:
        need_params("scale_by_param_block_rms", params)
        return jax.tree.map(lambda u, p: u * jnp.maximum(_rms(p), min_scale), updates, params)

    return stateless(update)


def adafactor(
    learning_rate: Number | Schedule,
    min_dim_size_to_factor: int = 128,
    decay_rate: Number = 0.8,
    *,
    clipping_threshold: Number = 1.0,
    eps: Number = 1e-30,
) -> Transform:
    """Return Adafactor (Shazeer & Stern, 2018, arXiv:1804.04235), without momentum or weight decay.

    With b = 1 - t^(-decay_rate), for a matrix with both sides of at least `min_dim_size_to_factor`:
    row <- b row + (1 - b) mean_columns(g^2 + eps);   column <- b column + (1 - b) mean_rows(g^2 + eps)
    nu = row column / mean(row);   u = g / sqrt(nu)
    p <- p - learning_rate * max(rms(p), 0.001) * u / max(1, rms(u) / clipping_threshold)
    Other arrays keep nu <- b nu + (1 - b) (g^2 + eps); in arrays with more than two axes the two longest are factored.

    The steps depend on whole arrays, so parameters ravelled into one vector train differently.

    Raises:
      ValueError: the learning rate is negative, or another argument is not positive.
    """
    return chain(
        scale_by_factored_rms(min_dim_size_to_factor, decay_rate, eps),
        clip_by_block_rms(clipping_threshold),
        scale_by_learning_rate(learning_rate),
        scale_by_param_block_rms(),
    )


def _rms(array: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(jnp.square(at_state_dtype(array))))


def _axes(array: jax.Array) -> tuple[int, int]:
    """Return the second longest axis and the longest."""
    second, longest = sorted(range(array.ndim), key=lambda axis: array.shape[axis])[-2:]
    return second, longest
