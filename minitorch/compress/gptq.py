"""GPTQ: quantize column by column, and compensate in the remaining columns.

Rounding to the nearest code minimizes the error of each weight. What matters is the error of the *outputs* on inputs
that occur: d H d for a row with the error d, where H is the sum of x x^T over calibration inputs. GPTQ quantizes the
weights of one input in all rows, then adjusts the weights that are not quantized yet to cancel as much of that error
as possible.

Source: Frantar et al., arXiv 2210.17323: algorithm 1 with the Cholesky form of section 3.3.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from ..nn import Linear, paths
from ..nn.hooks import with_hooks
from .moe import reject_moe
from .packed import PackedMatrix
from .quantize import QuantRecipe, in_layer, quantized_layer, select_layers, weight_rows
from .scheme import Quantized, Scheme, check_matrix, group_shape, minus_zero_point, nearest_codes, quantize_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._types import Array

T = TypeVar("T")
DAMP = 0.01  # Share of the mean of H's diagonal that is added to the diagonal: unused inputs make H singular.


def gptq(weight: Any, hessian: Any, scheme: Scheme) -> Quantized:
    """Quantize a matrix (R, I) for inputs whose sum of outer products is `hessian` (I, I).

    Scales are those of plain rounding; only the choice of codes differs.

    Raises:
      ValueError: as `scheme.quantize_matrix` does, or `hessian` is not finite or not (I, I).
    """
    check_matrix(weight, scheme)
    if hessian.shape != (weight.shape[1],) * 2 or not np.isfinite(hessian).all():
        raise ValueError(
            f"the inputs' outer products must be finite and {weight.shape[1]} x {weight.shape[1]}, but have the shape"
            f" {tuple(hessian.shape)}: calibrate with texts on which the model's activations are finite."
        )
    weight, start = jnp.asarray(weight, jnp.float32), quantize_matrix(weight, scheme)
    codes = _compensate(weight, jnp.asarray(inverse_factor(hessian)), start, scheme)
    return Quantized(codes, start.scale, start.zero)


def inverse_factor(hessian: Any) -> np.ndarray:
    """Return the upper triangular U, float32, for which U^T U is the inverse of the damped `hessian`."""
    h = np.asarray(hessian, np.float64)
    mean = np.diag(h).mean() or 1.0
    inverse = np.linalg.inv(h + DAMP * mean * np.eye(len(h)))
    return np.linalg.cholesky((inverse + inverse.T) / 2).T.astype(np.float32)


@functools.partial(jax.jit, static_argnames="scheme")
def _compensate(weight: Array, upper: Array, start: Quantized, scheme: Scheme) -> Array:
    """Return the codes (R, I) of algorithm 1, with the scales and zero points of `start`."""
    rows, inputs = weight.shape
    size = inputs if scheme.group == "tensor" else group_shape(weight.shape, scheme)[2]

    def of_column(part: Array | None, i: Array) -> Any:
        return None if part is None else jnp.broadcast_to(part, (rows, part.shape[1]))[:, i // size]

    def quantize_column(i: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        weight, codes = state
        column, scale, zero = weight[:, i], of_column(start.scale, i), of_column(start.zero, i)  # (R,) each
        code = nearest_codes(column[:, None], scale, zero, scheme)
        value = (minus_zero_point(code, zero, scheme) * scale[:, None].astype(jnp.float32))[:, 0]
        error = (column - value) / upper[i, i]
        return weight - error[:, None] * upper[i], codes.at[:, i].set(code[:, 0])

    return jax.lax.fori_loop(0, inputs, quantize_column, (weight, start.codes))[1]


def quantize_gptq(
    model: T, recipe: QuantRecipe, ids: Sequence[Any], on_layer: Callable[[int, int], None] = lambda done, total: None
) -> T:
    """Quantize as `quantize` does, with GPTQ for linear layers, calibrated on `ids`: batches (B, T) of real text.

    The parts of a model are quantized in order, each calibrated on the outputs of the quantized parts before it.

    Raises:
      ValueError: as `quantize` does, there is no text to calibrate with, or the model has mixtures of experts.
    """
    batches = [jnp.asarray(batch) for batch in ids]
    if not batches or not all(batch.size for batch in batches):
        raise ValueError(
            "GPTQ calibrates with text, and was given no text, or a batch without one: give some thousand tokens, as"
            " (B, T)."
        )
    reject_moe(model, "GPTQ")
    selected, changed, calibrated, part, seen = select_layers(model, recipe), {}, model, None, {}
    linear = [path for path, (layer, _) in selected.items() if isinstance(layer, Linear)]
    for path, (layer, scheme) in selected.items():
        if part != (part := path.rpartition(".")[0].rpartition(".")[0] or path):  # The first layer of the next part.
            names = [name for name in linear if name == part or name.startswith(f"{part}.")]
            seen = hessians(calibrated, batches, names) if names else {}
        with in_layer(path):
            rows = weight_rows(layer)
            quantized = gptq(rows, seen[path], scheme) if path in seen else quantize_matrix(rows, scheme)
        packed = PackedMatrix.pack(quantized, scheme)
        changed[path] = quantized_layer(layer, packed)
        calibrated = paths.replace(calibrated, {f"{path}.weight": changed[path].weight})
        on_layer(len(changed), len(selected))
    return paths.replace(model, changed)


def hessians(model: Any, batches: Sequence[Any], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the sum of x x^T over all inputs x of each of the linear layers `names`: (I, I) by path."""
    totals: dict[str, np.ndarray] = {}
    for ids in batches:
        for path, total in _hessians(model, ids, tuple(names)).items():
            totals[path] = totals.get(path, 0) + np.asarray(total, np.float64)
    return totals


@functools.partial(jax.jit, static_argnames="names")
def _hessians(model: Any, ids: Array, names: tuple[str, ...]) -> dict[str, Array]:
    sums: dict[str, Array] = {}

    def hook(path: str, args: tuple[Array, ...], output: Array) -> None:
        vectors = args[0].reshape(-1, args[0].shape[-1])  # (N, I)
        sums[path] = sums.get(path, 0) + vectors.T @ vectors

    with_hooks(model, hook, lambda path, layer: path in names)(ids)
    return sums
