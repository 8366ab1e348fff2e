"""Unstructured pruning: set the least important weights to zero.

Masks are a dict from the path of a weight to booleans of its shape, true where the weight is kept. `magnitude`,
`n_of_m` and `wanda` compute masks, `apply_masks` applies them, `keep_zeros` and `gradual` keep the zeros during
training, and `rewind` applies them to the initial weights. The model keeps its size, unlike with `structured_prune`.

A weight has the shape (inputs, outputs).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._numbers import check_real, check_whole
from .._types import Array
from ..nn import paths
from ..nn.hooks import layer_inputs
from ..optim import Transform
from .find_linear import linear_layers
from .moe import reject_moe

Masks = dict[str, Array]
Schedule = Callable[[Any], Any]


def magnitude(model: Any, sparsity: float, pattern: str = "blocks.*", scope: str = "global") -> Masks:
    """Return masks that remove the smallest weights: of all matched layers together (`global`), or of each (`layer`).

    Exactly round(sparsity x weights) are removed; of equal weights, the first. Han et al., arXiv 1506.02626.

    Raises:
      ValueError: an impossible sparsity or scope, weights that are not finite, or a pattern that matches nothing.
    """
    check_sparsity(sparsity)
    if scope not in ("global", "layer"):
        raise ValueError(f"scope is 'global' or 'layer', and not {scope!r}.")
    scores = {path: np.abs(w) for path, w in linear_weights(model, pattern).items()}
    if scope == "layer":
        return {path: _mask_largest(score, sparsity) for path, score in scores.items()}
    kept = np.asarray(_mask_largest(np.concatenate([s.ravel() for s in scores.values()]), sparsity))
    ends = np.cumsum([s.size for s in scores.values()])[:-1]
    parts = np.split(kept, ends)
    return {path: jnp.asarray(k.reshape(s.shape)) for k, (path, s) in zip(parts, scores.items(), strict=True)}


def n_of_m(model: Any, n: int = 2, m: int = 4, pattern: str = "blocks.*") -> Masks:
    """Return masks that keep the `n` largest of every `m` consecutive inputs, as sparse tensor cores require.

    Mishra et al., arXiv 2104.08378.

    Raises:
      ValueError: n is not below m, or the inputs of a layer are not a multiple of m.
    """
    n, m = check_whole("n", n), check_whole("m", m)
    if n >= m:
        raise ValueError(f"{n} of {m} weights cannot be kept: give 0 < n < m, such as 2 of 4.")
    return {path: _n_of_m(path, np.abs(w), n, m) for path, w in linear_weights(model, pattern).items()}


def wanda(model: Any, ids: Array, sparsity: float, pattern: str = "blocks.*") -> Masks:
    """Return masks that remove, from each output, the weights with the smallest |weight| x input norm (Wanda).

    The inputs are those of the model before pruning. Sun et al., arXiv 2306.11695.

    Args:
      model: the model to prune.
      ids: texts (B, T) to calibrate with: an input's norm is over all their tokens.
      sparsity: the share of weights to remove.
      pattern: a glob of the paths of linear layers.

    Raises:
      ValueError: there is no text, the model has mixtures of experts, or as `magnitude`.
    """
    check_sparsity(sparsity)
    if ids.ndim != 2 or not ids.size:
        raise ValueError(f"Wanda calibrates with texts (B, T), but got ids of shape {tuple(ids.shape)}: give some.")
    reject_moe(model, "Wanda")
    weights, layers = linear_weights(model, pattern), linear_layers(model, pattern)
    norms = jax.jit(lambda model, ids: _input_norms(model, layers, ids))(model, ids)
    scores = {path: np.abs(w) * np.asarray(norms[path])[:, None] for path, w in weights.items()}
    return {path: _mask_by_column(score, sparsity) for path, score in scores.items()}


def apply_masks(model: Any, masks: Mapping[str, Array]) -> Any:
    """Return `model` with zeros where the masks are false. Raises ValueError for masks of another model."""
    flat = paths.flatten(model)
    for path, mask in masks.items():
        if path not in flat or flat[path].shape != mask.shape:
            raise ValueError(f"the mask of {path}, {mask.shape}, is for another model: make masks for this one.")
    return paths.replace(model, {path: jnp.where(mask, flat[path], 0) for path, mask in masks.items()})


def rewind(first: Any, masks: Mapping[str, Array]) -> Any:
    """Return a lottery ticket: the initial model `first` with the masks of the trained model.

    Train `rewind(first, magnitude(trained, 0.8))` with `keep_zeros`. Frankle and Carbin, arXiv 1803.03635.
    """
    return apply_masks(first, masks)


def sparsity(model: Any, pattern: str = "blocks.*") -> float:
    """Return the share of zeros among the matched weights."""
    weights = linear_weights(model, pattern).values()
    return sum(int(np.sum(w == 0)) for w in weights) / sum(w.size for w in weights)


class PruneState(NamedTuple):
    """The number of finished steps, and the masks."""

    count: Array
    masks: Masks


def keep_zeros(masks: Mapping[str, Array]) -> Transform:
    """Keep the weights that the masks remove at zero. Must be the last transform of a chain."""

    def init(params: Any) -> PruneState:
        return PruneState(jnp.zeros((), jnp.int32), dict(masks))

    def update(updates: Any, state: PruneState, params: Any = None) -> tuple[Any, PruneState]:
        return _hold_zeros(updates, params, state.masks), PruneState(state.count + 1, state.masks)

    return Transform(init, update)


def gradual(schedule: Schedule, every: int = 1, pattern: str = "blocks.*") -> Transform:
    """Remove more of each layer's smallest weights every few steps, for good. Must be the last transform of a chain.

    Args:
      schedule: a function from the number of finished steps to the share of zeros, such as `cubic_schedule`.
      every: steps between prunings.
      pattern: a glob of the paths of linear layers.
    """

    def init(params: Any) -> PruneState:
        masks = {path: jnp.ones(w.shape, bool) for path, w in _weights(params, pattern).items()}
        return PruneState(jnp.zeros((), jnp.int32), masks)

    def update(updates: Any, state: PruneState, params: Any = None) -> tuple[Any, PruneState]:
        def prune() -> Masks:
            weights = _weights(params, pattern)
            return {
                path: mask & _mask_largest_traced(jnp.abs(jnp.where(mask, weights[path], 0)), schedule(state.count))
                for path, mask in state.masks.items()
            }

        masks = jax.lax.cond(state.count % every == 0, prune, lambda: state.masks)
        return _hold_zeros(updates, params, masks), PruneState(state.count + 1, masks)

    return Transform(init, update)


def cubic_schedule(final: float, begin: int, end: int, initial: float = 0.0) -> Schedule:
    """Return the schedule final + (initial - final) (1 - t)^3, with t from 0 at step `begin` to 1 at step `end`.

    It prunes fast at first, while many weights are redundant. Zhu and Gupta, arXiv 1710.01878.

    Raises:
      ValueError: a share outside [0, 1), or an end that is not after the beginning.
    """
    check_sparsity(final)
    check_sparsity(initial)
    if not check_whole("begin", begin, 0) < check_whole("end", end, 0):
        raise ValueError(f"a schedule from step {begin} to {end} has no steps: give 0 <= begin < end.")

    def schedule(count: Any) -> Any:
        t = jnp.clip((count - begin) / (end - begin), 0, 1)
        return jnp.where(count < begin, 0.0, final + (initial - final) * (1 - t) ** 3)

    return schedule


def check_sparsity(value: float) -> None:
    """Raise ValueError if `value` is not in [0, 1)."""
    check_real("sparsity", value, lambda x: 0 <= x < 1, "the share of weights to remove, from 0 up to below 1")


def linear_weights(model: Any, pattern: str) -> dict[str, np.ndarray]:
    """Return the weights of the matched linear layers by path. Raises ValueError if none match or one is not finite."""
    weights = {path: np.asarray(w) for path, w in _weights(model, pattern).items()}
    for path, w in weights.items():
        if not np.isfinite(w).all():
            raise ValueError(
                f"{path} holds NaN or infinite numbers, which have no magnitude: take an earlier checkpoint."
            )
    return weights


def _weights(model: Any, pattern: str) -> dict[str, Any]:
    return {f"{path}.weight": layer.weight for path, layer in linear_layers(model, pattern).items()}


def _mask_largest(scores: np.ndarray, sparsity: float) -> Array:
    """Return the mask of the largest scores."""
    order = np.argsort(scores, axis=None, kind="stable")
    kept = np.ones(scores.size, bool)
    kept[order[: round(sparsity * scores.size)]] = False
    return jnp.asarray(kept.reshape(scores.shape))


def _mask_by_column(scores: np.ndarray, sparsity: float) -> Array:
    """Return the mask of the largest scores (inputs, outputs) of each output."""
    rank = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0)
    return jnp.asarray(rank >= round(sparsity * len(scores)))


def _n_of_m(path: str, scores: np.ndarray, n: int, m: int) -> Array:
    inputs, outputs = scores.shape
    if inputs % m:
        raise ValueError(f"{path} has {inputs} inputs, which {m} does not divide: choose another m.")
    groups = scores.reshape(inputs // m, m, outputs)
    rank = np.argsort(np.argsort(groups, axis=1, kind="stable"), axis=1)
    return jnp.asarray((rank >= m - n).reshape(scores.shape))


def _input_norms(model: Any, names: Collection[str], ids: Array) -> dict[str, Array]:
    inputs = layer_inputs(model, names, ids)
    return {f"{path}.weight": jnp.sqrt(jnp.sum(jnp.square(x), axis=range(x.ndim - 1))) for path, x in inputs.items()}


def _mask_largest_traced(scores: Array, sparsity: Any) -> Array:
    """Return the mask of the largest scores for a traced sparsity: by rank, which is exact for equal scores."""
    rank = jnp.argsort(jnp.argsort(scores.ravel())).reshape(scores.shape)
    return rank >= jnp.round(sparsity * scores.size)


def _hold_zeros(updates: Any, params: Any, masks: Mapping[str, Array]) -> Any:
    """Replace the updates of removed weights by -p: p + (-p) is exactly 0 in any precision."""
    flat, weights = paths.flatten(updates), paths.flatten(params)
    return paths.replace(updates, {p: jnp.where(m, flat[p], -weights[p]) for p, m in masks.items()})
