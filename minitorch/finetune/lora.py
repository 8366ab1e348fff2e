"""Low-rank adapters (LoRA): train a narrow pair of matrices next to each frozen layer.

    y = base(x) + (alpha / rank) (x A) B            A (inputs, rank), B (rank, outputs), B starts at zero

Hu et al., arXiv 2106.09685 (LoRA). DoRA trains the norms of the weight's columns apart from their directions (Liu et
al., arXiv 2402.09353). The base may be any layer with the same call, including a quantized one (QLoRA, arXiv
2305.14314).

Adapters are a dict by the path of a layer; a run trains and saves only them. `attach(model, adapters)` returns a model
with the same calls, `merge` a plain model with the same function, and `unmerge` the base, bit for bit.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from .. import ops
from .._numbers import check_whole
from ..autodiff import stop_gradient
from ..compress.find_linear import linear_layers
from ..compress.quantize import QuantizedEmbedding, QuantizedLinear
from ..nn import Embedding, Linear, Module, paths, static
from ..nn.embedding import as_ids
from ..nn.init import fold_in_name, lecun_uniform
from ..train.record import CONFIG, check_files, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._types import Array, Key
    from ..models import Transformer

ADAPTER = "adapter.safetensors"
TOKEN, HEAD = "token", "head"  # The paths of a transformer's embedding and last layer.
LINEAR = (Linear, QuantizedLinear)  # Layers that can have an adapter.
TABLES = (*LINEAR, Embedding, QuantizedEmbedding)  # Layers that can have rows for new ids.
_init_a = lecun_uniform()


class Adapter(Module):
    """The trained part of a layer: a product of two narrow matrices and, for DoRA, the norms of the columns."""

    a: Array  # (inputs, rank)
    b: Array  # (rank, outputs)
    magnitude: Array | None = None  # (outputs,)
    scale: float = static(default=1.0)

    def update(self) -> Array:
        """Return the change of the weight: (inputs, outputs)."""
        return ops.matmul(self.a, self.b) * self.scale


class NewRows(Module):
    """Vectors for ids that the base does not have, of its embedding or its last layer, trained whole."""

    weight: Array  # (new ids, D)


Adapters = dict[str, Adapter | NewRows]


class LoRALinear(Module):
    """A frozen layer `base` with its adapter."""

    base: Any
    adapter: Adapter

    def __call__(self, x: Array) -> Array:
        """Return the adapted output: (..., inputs) to (..., outputs)."""
        adapter, y = self.adapter, self.base(x)
        y = y + ops.matmul(ops.matmul(x, adapter.a), adapter.b) * adapter.scale
        if adapter.magnitude is None:
            return y
        # DoRA scales without the bias. The norm is a constant in the backward pass (section 4.3).
        ratio = adapter.magnitude / stop_gradient(_column_norms(self.base.weight + adapter.update()))
        bias = self.base.bias
        return y * ratio if bias is None else (y - bias) * ratio + bias


class ExtendedEmbedding(Module):
    """An embedding, or a last layer, `base`, with rows for new ids."""

    base: Any
    rows: NewRows
    base_vocab: int = static()

    @property
    def weight(self) -> Array:
        """The rows of the new ids, whose dtype is that of the trained weights: (new ids, D)."""
        return self.rows.weight

    def __call__(self, x: Array) -> Array:
        """Return the vectors of ids x (...), or the logits of vectors x (..., D)."""
        if not jnp.issubdtype(x.dtype, jnp.integer):
            return ops.concatenate([self.base(x), self._logits(x)], axis=-1)
        ids = as_ids("ExtendedEmbedding", x)
        old = self.base(jnp.minimum(ids, self.base_vocab - 1))
        new = ops.take(self.rows.weight, jnp.maximum(ids - self.base_vocab, 0), 0)
        return ops.where((ids < self.base_vocab)[..., None], old, new)

    def attend(self, x: Array) -> Array:
        """Return the dot product with every row: x (..., D) to logits (..., V)."""
        return ops.concatenate([self.base.attend(x), self._logits(x)], axis=-1)

    def _logits(self, x: Array) -> Array:
        return ops.matmul(x, ops.transpose(self.rows.weight))


def init_adapters(
    key: Key, model: Any, pattern: str = "blocks.*", *, rank: int = 8, alpha: float | None = None, dora: bool = False
) -> Adapters:
    """Return adapters, which at first change nothing, for the linear layers of `model` that match the glob `pattern`.

    Args:
      key: a random key.
      model: the base model.
      pattern: a glob of the paths of linear layers.
      rank: the narrow size of each pair of matrices.
      alpha: the update is scaled by alpha / rank, so that each rank has one learning rate; by default 2 rank.
      dora: also train the norms of the columns.

    Raises:
      ValueError: the rank is not positive, or the pattern matches nothing. Names the nearest paths.
    """
    rank = check_whole("rank", rank)
    scale = (2 * rank if alpha is None else alpha) / rank
    adapters: Adapters = {}
    for path, layer in linear_layers(model, pattern, LINEAR).items():
        inputs, outputs = _shape(layer)
        a = _init_a(fold_in_name(key, path), (inputs, rank))
        magnitude = _column_norms(layer.weight) if dora else None
        adapters[path] = Adapter(a, jnp.zeros((rank, outputs)), magnitude, scale)
    return adapters


def attach(model: Transformer, adapters: Mapping[str, Adapter | NewRows]) -> Transformer:
    """Return `model` with adapters on its layers. Raises ValueError if a layer does not exist or has another size."""
    paths.replace(model, dict.fromkeys(adapters))  # Raises for an unknown path, and names the nearest.
    nodes: dict[str, Any] = {}
    for path in adapters:
        nodes |= paths.find(model, path, Module)
    new = {path: _attach(path, nodes.get(path), adapter) for path, adapter in adapters.items()}
    return _extend_vocab(paths.replace(model, new), _count_rows(adapters.get(TOKEN)))


def _attach(path: str, layer: Any, adapter: Adapter | NewRows) -> LoRALinear | ExtendedEmbedding:
    if not isinstance(layer, TABLES if isinstance(adapter, NewRows) else LINEAR):
        raise ValueError(
            f"{path} cannot take this adapter, or has one already: attach adapters once, and to the model that they"
            " were trained for."
        )
    if isinstance(adapter, NewRows):
        return ExtendedEmbedding(layer, adapter, vocab_size_of(layer))
    if _shape(layer) != (adapter.a.shape[0], adapter.b.shape[1]):
        raise ValueError(
            f"the adapter of {path} is for a layer {adapter.a.shape[0]} -> {adapter.b.shape[1]}, and this model's is"
            f" {' -> '.join(map(str, _shape(layer)))}: attach it to the model that it was trained with."
        )
    return LoRALinear(layer, adapter)


def merge(model: Transformer) -> Transformer:
    """Return a plain model with the function of a model with adapters, at the cost of the base.

    Each merged weight is the exact sum, rounded once to the base's dtype. A quantized base becomes a plain layer.
    """
    return paths.replace(model, {path: _merge(node) for path, node in _adapted_layers(model).items()})


def unmerge(model: Transformer) -> Transformer:
    """Return the base of a model with adapters, bit for bit."""
    found = _adapted_layers(model)
    base = paths.replace(model, {path: node.base for path, node in found.items()})
    return _extend_vocab(base, -_count_rows(getattr(found.get(TOKEN), "rows", None)))


def _adapted_layers(model: Any) -> dict[str, Any]:
    found = {**paths.find(model, kind=LoRALinear), **paths.find(model, kind=ExtendedEmbedding)}
    if not found:
        raise ValueError("this model has no adapters: attach some first, `lora.attach(model, adapters)`.")
    return found


def _count_rows(rows: Any) -> int:
    return 0 if rows is None else rows.weight.shape[0]


def _extend_vocab(model: Transformer, more: int) -> Transformer:
    config = dataclasses.replace(model.config, vocab=model.config.vocab + more)
    return dataclasses.replace(model, config=config)


def _merge(node: LoRALinear | ExtendedEmbedding) -> Linear | Embedding:
    if isinstance(node, ExtendedEmbedding):
        rows, base = np.asarray(node.rows.weight), np.asarray(node.base.weight)
        if not isinstance(node.base, LINEAR):
            return Embedding(jnp.asarray(np.concatenate([base, rows])))
        return Linear(jnp.asarray(np.concatenate([base, rows.T], axis=1)))
    base, adapter = node.base.weight, node.adapter
    a, b = (np.asarray(x, np.float64) for x in (adapter.a, adapter.b))
    weight = np.asarray(base, np.float64) + adapter.scale * (a @ b)
    if adapter.magnitude is not None:
        squares = (weight**2).sum(axis=0)
        weight *= np.asarray(adapter.magnitude, np.float64) / np.sqrt(np.where(squares > 0, squares, 1))
    return Linear(jnp.asarray(weight.astype(base.dtype)), node.base.bias)


def save_adapters(adapters: Mapping[str, Adapter | NewRows], file: str | Path) -> None:
    """Write the adapters, without the base, to a safetensors file: `PATH.a`, `PATH.b`, `PATH.scale` and so on."""
    scales = {f"{path}.scale": np.float32(x.scale) for path, x in adapters.items() if isinstance(x, Adapter)}
    paths.save_safetensors(paths.flatten(dict(adapters)) | scales, file)


def load_adapters(file: str | Path) -> Adapters:
    """Read the adapters that `save_adapters` wrote.

    Raises:
      FileNotFoundError: the file does not exist.
      ValueError: the file holds no adapters, or is damaged: it is not as its run wrote it.
    """
    folder = Path(file).parent
    if (folder / CONFIG).is_file():
        check_files(folder, read_record(folder))
    by_layer: dict[str, dict[str, Any]] = {}
    for name, array in paths.load_safetensors(file).items():
        path, _, part = name.rpartition(".")
        by_layer.setdefault(path, {})[part] = array
    try:
        return {path: _from_parts(**parts) for path, parts in by_layer.items()}
    except TypeError as error:
        raise ValueError(f"{file} holds no adapters ({error}): give the {ADAPTER} of a fine-tuning run.") from error


def _from_parts(
    weight: Any = None, a: Any = None, b: Any = None, magnitude: Any = None, scale: Any = None
) -> Adapter | NewRows:
    if weight is not None and a is None:
        return NewRows(weight)
    if a is None or b is None or scale is None:
        raise TypeError("a part of an adapter is missing")
    return Adapter(a, b, magnitude, float(scale))


def vocab_size_of(layer: Any) -> int:
    """Return the number of ids of an embedding or a last layer, quantized or not."""
    if isinstance(layer, LINEAR):
        return _shape(layer)[1]
    return (layer.packed if isinstance(layer, QuantizedEmbedding) else layer.weight).shape[0]


def _shape(layer: Any) -> tuple[int, int]:
    """Return (inputs, outputs) of a linear layer, without dequantizing it."""
    inputs, outputs = layer.packed.shape[::-1] if isinstance(layer, QuantizedLinear) else layer.weight.shape
    return inputs, outputs


def _column_norms(weight: Array) -> Array:
    """Return the norms of a weight's columns: (outputs,). The norm of a zero column counts as 1."""
    squares = ops.sum(ops.square(weight), axis=0)
    return ops.sqrt(ops.where(squares > 0, squares, 1))
