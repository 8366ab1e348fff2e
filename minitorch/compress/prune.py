"""Which weights can go? A mask says of each weight whether it stays; a model with a mask has zeros, and keeps its size.

A mask is a dict from the path of a weight to booleans of its shape. `magnitude`, `n_of_m` and `wanda` make masks,
`masked` applies one, `keep_zeros` and `gradual` hold the zeros through training, `rewind` begins again from the start.
`shrink` is the other way: what it removes is gone.

A weight multiplies from the right: its shape is (inputs, outputs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..nn import Linear, paths
from ..nn.hooks import layer_inputs
from ..optim import Transform
from .find_linear import linear_layers
from .moe import refuse_mixtures

Array = jax.Array
Masks = dict[str, Array]
Schedule = Callable[[Any], Any]


def magnitude(model: Any, sparsity: float, pattern: str = "blocks.*", scope: str = "global") -> Masks:
    """Keep the weights furthest from zero: of all matched layers together (`global`), or of each (`layer`).

    Exactly round(sparsity x weights) go; of those that tie, the earlier. Han et al., arXiv 1506.02626.

    Raises:
      ValueError: an impossible sparsity or scope, weights that are not finite, or a pattern that matches nothing.
    """
    check_sparsity(sparsity)
    if scope not in ("global", "layer"):
        raise ValueError(f"scope is 'global' or 'layer', and not {scope!r}.")
    scores = {path: np.abs(w) for path, w in weights_of(model, pattern).items()}
    if scope == "layer":
        return {path: _without_smallest(score, sparsity) for path, score in scores.items()}
    kept = np.asarray(_without_smallest(np.concatenate([s.ravel() for s in scores.values()]), sparsity))
    ends = np.cumsum([s.size for s in scores.values()])[:-1]
    parts = np.split(kept, ends)
    return {path: jnp.asarray(k.reshape(s.shape)) for k, (path, s) in zip(parts, scores.items(), strict=True)}


def n_of_m(model: Any, n: int = 2, m: int = 4, pattern: str = "blocks.*") -> Masks:
    """Keep the `n` largest of every `m` weights in a row of inputs, as sparse tensor cores want it.

    Mishra et al., arXiv 2104.08378.

    Raises:
      ValueError: n is not below m, or the inputs of a layer are no multiple of m.
    """
    if not 0 < n < m:
        raise ValueError(f"{n} of {m} weights cannot be kept: give 0 < n < m, such as 2 of 4.")
    return {path: _n_of_m(path, np.abs(w), n, m) for path, w in weights_of(model, pattern).items()}


def wanda(model: Any, ids: Array, sparsity: float, pattern: str = "blocks.*") -> Masks:
    """Keep weights whose size times that of their input is largest, output by output. Sun et al., arXiv 2306.11695.

    Inputs are those of the model before anything is pruned.

    Args:
      ids: texts (B, T) to calibrate with: the size of an input is its norm over all their tokens.

    Raises:
      ValueError: there is no text, the model has mixtures of experts, or as `magnitude`.
    """
    check_sparsity(sparsity)
    if ids.ndim != 2 or not ids.size:
        raise ValueError(f"Wanda calibrates with texts (B, T), but got ids of shape {tuple(ids.shape)}: give some.")
    refuse_mixtures(model, "Wanda")
    weights, layers = weights_of(model, pattern), linear_layers(model, pattern)
    norms = jax.jit(lambda model, ids: _input_norms(model, layers, ids))(model, ids)
    return {path: _columns(np.abs(w) * np.asarray(norms[path])[:, None], sparsity) for path, w in weights.items()}


def masked(model: Any, masks: Mapping[str, Array]) -> Any:
    """`model` with zeros where the masks say so. Raises ValueError for masks of another model."""
    flat = paths.flatten(model)
    for path, mask in masks.items():
        if path not in flat or flat[path].shape != mask.shape:
            raise ValueError(f"the mask of {path}, {mask.shape}, is that of another model: make masks of this one.")
    return paths.replace(model, {path: jnp.where(mask, flat[path], 0) for path, mask in masks.items()})


def rewind(first: Any, masks: Mapping[str, Array]) -> Any:
    """A lottery ticket: the first weights of a model, of which only those are there that its end would keep.

    `rewind(first, magnitude(trained, 0.8))`, trained with `keep_zeros`. Frankle and Carbin, arXiv 1803.03635.
    """
    return masked(first, masks)


def sparsity(model: Any, pattern: str = "blocks.*") -> float:
    """The share of zeros among the matched weights."""
    weights = weights_of(model, pattern).values()
    return sum(int(np.sum(w == 0)) for w in weights) / sum(w.size for w in weights)


class Kept(NamedTuple):
    """Finished steps, and which weights stay: a mask by path."""

    count: Array
    masks: Masks


def keep_zeros(masks: Mapping[str, Array]) -> Transform:
    """The last link of a chain: an update that leaves at zero what the masks have removed."""

    def init(params: Any) -> Kept:
        return Kept(jnp.zeros((), jnp.int32), dict(masks))

    def update(updates: Any, state: Kept, params: Any = None) -> tuple[Any, Kept]:
        return _hold(updates, params, state.masks), Kept(state.count + 1, state.masks)

    return Transform(init, update)


def gradual(schedule: Schedule, every: int = 1, pattern: str = "blocks.*") -> Transform:
    """The last link of a chain: every so many steps more weights go, the smallest of each layer, and never come back.

    Args:
      schedule: the share of zeros by the number of finished steps, such as `cubic_schedule`.
    """

    def init(params: Any) -> Kept:
        masks = {path: jnp.ones(w.shape, bool) for path, w in _weights(params, pattern).items()}
        return Kept(jnp.zeros((), jnp.int32), masks)

    def update(updates: Any, state: Kept, params: Any = None) -> tuple[Any, Kept]:
        def prune() -> Masks:
            weights = _weights(params, pattern)
            return {
                path: mask & _largest(jnp.abs(jnp.where(mask, weights[path], 0)), schedule(state.count))
                for path, mask in state.masks.items()
            }

        masks = jax.lax.cond(state.count % every == 0, prune, lambda: state.masks)
        return _hold(updates, params, masks), Kept(state.count + 1, masks)

    return Transform(init, update)


def cubic_schedule(final: float, begin: int, end: int, initial: float = 0.0) -> Schedule:
    """final + (initial - final) (1 - t)^3, with t from 0 at the step `begin` to 1 at `end`: fast while much is
    superfluous, then ever slower. Zhu and Gupta, arXiv 1710.01878.

    Raises ValueError for a share outside [0, 1) or an end that is not after the beginning.
    """
    check_sparsity(final)
    check_sparsity(initial)
    if not 0 <= begin < end:
        raise ValueError(f"a schedule from step {begin} to {end} has no steps: give 0 <= begin < end.")

    def schedule(count: Any) -> Any:
        t = jnp.clip((count - begin) / (end - begin), 0, 1)
        return jnp.where(count < begin, 0.0, final + (initial - final) * (1 - t) ** 3)

    return schedule


def check_sparsity(value: float) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"sparsity is the share of weights that go, from 0 up to below 1, and not {value}.")


def weights_of(model: Any, pattern: str) -> dict[str, np.ndarray]:
    """The weights of the matched linear layers, by path. Raises ValueError for NaN or infinite ones, or none."""
    weights = {path: np.asarray(w) for path, w in _weights(model, pattern).items()}
    for path, w in weights.items():
        if not np.isfinite(w).all():
            raise ValueError(f"{path} holds NaN or infinite numbers, which have no size: take an earlier checkpoint.")
    return weights


def _weights(model: Any, pattern: str) -> dict[str, Any]:
    return {f"{path}.weight": layer.weight for path, layer in linear_layers(model, pattern).items()}


def _without_smallest(scores: np.ndarray, sparsity: float) -> Array:
    order = np.argsort(scores, axis=None, kind="stable")
    kept = np.ones(scores.size, bool)
    kept[order[: round(sparsity * scores.size)]] = False
    return jnp.asarray(kept.reshape(scores.shape))


def _columns(scores: np.ndarray, sparsity: float) -> Array:
    """The same for each output by itself: scores (inputs, outputs)."""
    rank = np.argsort(np.argsort(scores, axis=0, kind="stable"), axis=0)
    return jnp.asarray(rank >= round(sparsity * len(scores)))


def _n_of_m(path: str, scores: np.ndarray, n: int, m: int) -> Array:
    inputs, outputs = scores.shape
    if inputs % m:
        raise ValueError(f"{path} has {inputs} inputs, which {n} of {m} does not divide: choose another m.")
    groups = scores.reshape(inputs // m, m, outputs)
    rank = np.argsort(np.argsort(groups, axis=1, kind="stable"), axis=1)
    return jnp.asarray((rank >= m - n).reshape(scores.shape))


def _input_norms(model: Any, layers: Mapping[str, Linear], ids: Array) -> dict[str, Array]:
    inputs = layer_inputs(model, layers, ids)
    return {f"{path}.weight": jnp.sqrt(jnp.sum(jnp.square(x), axis=range(x.ndim - 1))) for path, x in inputs.items()}


def _largest(scores: Array, sparsity: Any) -> Array:
    """Without a share of the smallest, which may be a number of the compiled program: by rank, so that ties go too."""
    rank = jnp.argsort(jnp.argsort(scores.ravel())).reshape(scores.shape)
    return rank >= jnp.round(sparsity * scores.size)


def _hold(updates: Any, params: Any, masks: Mapping[str, Array]) -> Any:
    """Where a mask says no, the update that leads to zero: p + (-p) is 0 exactly, in any precision."""
    flat, weights = paths.flatten(updates), paths.flatten(params)
    return paths.replace(updates, {p: jnp.where(m, flat[p], -weights[p]) for p, m in masks.items()})
