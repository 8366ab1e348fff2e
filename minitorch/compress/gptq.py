"""How is a matrix rounded so that its *outputs* change least? One input after the other, and those to come make amends.

Rounding to the nearest asks which code is closest to a weight. What counts is the product with inputs that really
occur: its squared error is d H d for a row's error d, with H the sum of x x over calibration inputs. GPTQ rounds the
weights of one input in all rows, and moves the weights not yet rounded so as to cancel as much of that error as can be.

Source: Frantar et al., arXiv 2210.17323: algorithm 1 with the Cholesky form of section 3.3.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from ..nn import Linear, paths
from ..nn.hooks import with_hooks
from .moe import refuse_mixtures
from .packed import Packed
from .quantize import Recipe, blame, layers, packed_layer, rows_of
from .scheme import Rounded, Scheme, centred, check, encode, group_shape, to_codes

Array = jax.Array
T = TypeVar("T")
DAMP = 0.01  # of the mean of H's diagonal, added to it: inputs that are never seen leave it singular


def gptq(weight: Any, hessian: Any, scheme: Scheme) -> Rounded:
    """Round a matrix (R, I) for inputs whose sum of outer products is `hessian` (I, I).

    Scales are those of plain rounding, so that what is gained is gained by the choice of codes alone.

    Raises:
      ValueError: as `rounding.encode` does, or `hessian` is not finite or not (I, I).
    """
    check(weight, scheme)
    if hessian.shape != (weight.shape[1],) * 2 or not np.isfinite(hessian).all():
        raise ValueError(
            f"the inputs' outer products must be finite and {weight.shape[1]} x {weight.shape[1]}, but are of shape"
            f" {tuple(hessian.shape)}: calibrate with texts on which the model's activations are finite."
        )
    weight, start = jnp.asarray(weight, jnp.float32), encode(weight, scheme)
    return Rounded(_amend(weight, jnp.asarray(inverse_factor(hessian)), start, scheme), start.scale, start.zero)


def inverse_factor(hessian: Any) -> np.ndarray:
    """The upper triangle U with U^T U the inverse of the damped `hessian`, float32."""
    h = np.asarray(hessian, np.float64)
    mean = np.diag(h).mean() or 1.0
    inverse = np.linalg.inv(h + DAMP * mean * np.eye(len(h)))
    return np.linalg.cholesky((inverse + inverse.T) / 2).T.astype(np.float32)


@functools.partial(jax.jit, static_argnames="scheme")
def _amend(weight: Array, upper: Array, start: Rounded, scheme: Scheme) -> Array:
    rows, inputs = weight.shape
    size = inputs if scheme.group == "tensor" else group_shape(weight.shape, scheme)[2]

    def of_input(part: Any, i: Array) -> Any:
        return None if part is None else jnp.broadcast_to(part, (rows, part.shape[1]))[:, i // size]

    def one(i: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        weight, codes = state
        column, scale, zero = weight[:, i], of_input(start.scale, i), of_input(start.zero, i)
        code = to_codes(column[:, None], scale, zero, scheme)
        value = (centred(code, zero, scheme) * scale[:, None].astype(jnp.float32))[:, 0]
        error = (column - value) / upper[i, i]
        return weight - error[:, None] * upper[i], codes.at[:, i].set(code[:, 0])

    return jax.lax.fori_loop(0, inputs, one, (weight, start.codes))[1]


def quantize_gptq(
    model: T, recipe: Recipe, ids: Sequence[Any], on_layer: Callable[[int, int], None] = lambda done, all: None
) -> T:
    """`quantize`, with linear layers rounded for the inputs that they have on `ids`, batches (B, T) of real text.

    The parts of a model are taken in order, each with the inputs that come out of the rounded parts before it.

    Raises:
      ValueError: as `quantize` does, there is no text to calibrate with, or the model has mixtures of experts.
    """
    batches = [jnp.asarray(batch) for batch in ids]
    if not batches or not all(batch.size for batch in batches):
        raise ValueError(
            "GPTQ asks which inputs occur, and was given no text, or a batch without one: give some thousand tokens,"
            " as (B, T)."
        )
    refuse_mixtures(model, "GPTQ")
    chosen, changed, rounded, part, seen = layers(model, recipe), {}, model, None, {}
    linear = [path for path, (layer, _) in chosen.items() if isinstance(layer, Linear)]
    for path, (layer, scheme) in chosen.items():
        if part != (part := path.rpartition(".")[0].rpartition(".")[0] or path):
            names = [name for name in linear if name == part or name.startswith(f"{part}.")]
            seen = hessians(rounded, batches, names) if names else {}
        with blame(path):
            rows = rows_of(layer)
            packed = Packed.pack(gptq(rows, seen[path], scheme), scheme) if path in seen else Packed.of(rows, scheme)
        changed[path] = packed_layer(layer, packed)
        numbers = packed.numbers()
        rounded = paths.replace(rounded, {f"{path}.weight": numbers.T if isinstance(layer, Linear) else numbers})
        on_layer(len(changed), len(chosen))
    return paths.replace(model, changed)


def hessians(model: Any, batches: Sequence[Any], names: Sequence[str]) -> dict[str, np.ndarray]:
    """For each of the linear layers `names`, the sum of x x over all its inputs x: (I, I)."""
    totals: dict[str, np.ndarray] = {}
    for ids in batches:
        for path, total in _hessians(model, ids, tuple(names)).items():
            totals[path] = totals.get(path, 0) + np.asarray(total, np.float64)
    return totals


@functools.partial(jax.jit, static_argnames="names")
def _hessians(model: Any, ids: Array, names: tuple[str, ...]) -> dict[str, Array]:
    sums: dict[str, Array] = {}

    def hook(path: str, args: tuple[Array, ...], output: Array) -> None:
        vectors = args[0].reshape(-1, args[0].shape[-1])
        sums[path] = sums.get(path, 0) + vectors.T @ vectors

    with_hooks(model, hook, lambda path, layer: path in names)(ids)
    return sums
