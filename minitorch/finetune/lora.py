"""How is a large model taught something new with few numbers? Beside a frozen layer stands a narrow one that learns.

    y = base(x) + (alpha / rank) (x A) B            A (inputs, rank), B (rank, outputs), which begins at zero

Hu et al., arXiv 2106.09685 (LoRA). DoRA learns the length of each column of the weight apart from its direction (Liu et
al., arXiv 2402.09353). The base may be any layer with the same call, a quantized one too (QLoRA, arXiv 2305.14314).

Adapters are a dict from the path of a layer to what stands beside it: the only thing that a run trains, keeps moments
of and saves. `attach(model, adapters)` is a model with the same call; `merge` makes it a plain one again, and `unmerge`
gives the base back, bit for bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import ops
from ..autodiff import stop_gradient
from ..compress.find_linear import linear_layers
from ..compress.quantize import QuantizedEmbedding, QuantizedLinear
from ..models import Transformer
from ..nn import Embedding, Linear, Module, paths, static
from ..nn.init import lecun_uniform, named

Array = jax.Array
ADAPTER = "adapter.safetensors"
TOKEN, HEAD = "token", "head"  # where a transformer has its table of embeddings, and its last layer
_init_a = lecun_uniform()


class Adapter(Module):
    """What stands beside a layer: a product of two narrow matrices, and for DoRA the lengths of the columns."""

    a: Array  # (inputs, rank)
    b: Array  # (rank, outputs)
    magnitude: Array | None = None  # (outputs,)
    scale: float = static(default=1.0)

    def update(self) -> Array:
        """What it adds to the weight: (inputs, outputs)."""
        return ops.matmul(self.a, self.b) * self.scale


class Rows(Module):
    """Vectors for ids that the base does not know, learned whole: of a table of embeddings, or of the last layer."""

    weight: Array  # (new ids, D)


Adapters = dict[str, Adapter | Rows]


class Adapted(Module):
    """A layer `base`, which stays as it is, and its adapter."""

    base: Any
    adapter: Adapter

    def __call__(self, x: Array) -> Array:
        adapter, y = self.adapter, self.base(x)
        y = y + ops.matmul(ops.matmul(x, adapter.a), adapter.b) * adapter.scale
        if adapter.magnitude is None:
            return y
        # The bias is no part of what is scaled. The length counts as a constant on the way back (section 4.3).
        ratio = adapter.magnitude / stop_gradient(_lengths(dense(self.base) + adapter.update()))
        bias = self.base.bias
        return y * ratio if bias is None else (y - bias) * ratio + bias


class Grown(Module):
    """A table of embeddings, or a last layer, `base`, with rows for more ids."""

    base: Any
    rows: Rows
    known: int = static()  # ids of the base

    @property
    def weight(self) -> Array:
        return self.rows.weight

    def __call__(self, x: Array) -> Array:
        """Vectors of ids x (...), or logits of vectors x (..., D)."""
        if not jnp.issubdtype(x.dtype, jnp.integer):
            return ops.concatenate([self.base(x), self._scores(x)], axis=-1)
        old, new = (
            self.base(jnp.minimum(x, self.known - 1)),
            ops.take(self.rows.weight, jnp.maximum(x - self.known, 0), 0),
        )
        return ops.where((x < self.known)[..., None], old, new)

    def attend(self, x: Array) -> Array:
        return ops.concatenate([self.base.attend(x), self._scores(x)], axis=-1)

    def _scores(self, x: Array) -> Array:
        return ops.matmul(x, ops.transpose(self.rows.weight))


def new_adapters(
    key: Array,
    model: Any,
    pattern: str = "blocks.*",
    *,
    rank: int = 8,
    alpha: float | None = None,
    dora: bool = False,
) -> Adapters:
    """Adapters for the linear layers of `model` that match the glob `pattern`; they change nothing yet.

    Args:
      alpha: the update is scaled by alpha / rank, so that another rank wants the same learning rate; by default 2 rank.

    Raises:
      ValueError: an impossible rank, or a pattern that matches nothing, with the nearest paths.
    """
    if rank < 1:
        raise ValueError(f"an adapter of rank {rank} holds nothing: give a whole number, 1 or more, such as 8.")
    scale = (2 * rank if alpha is None else alpha) / rank
    made: Adapters = {}
    for path, layer in linear_layers(model, pattern, LINEAR).items():
        inputs, outputs = sizes_of(layer)
        a = _init_a(named(key, path), (inputs, rank))
        magnitude = _lengths(dense(layer)) if dora else None
        made[path] = Adapter(a, jnp.zeros((rank, outputs)), magnitude, scale)
    return made


def attach(model: Transformer, adapters: Mapping[str, Adapter | Rows]) -> Transformer:
    """`model` with the adapters beside its layers. Raises ValueError where there is no such layer, or another size."""
    paths.replace(model, dict.fromkeys(adapters))  # Raises for a path that is not there, with the nearest.
    nodes: dict[str, Any] = {}
    for path in adapters:
        nodes |= paths.find(model, path, Module)
    new = {path: _attached(path, nodes.get(path), adapter) for path, adapter in adapters.items()}
    return _with_vocabulary(paths.replace(model, new), _new_ids(adapters.get(TOKEN)))


def _attached(path: str, layer: Any, adapter: Adapter | Rows) -> Any:
    if not isinstance(layer, TABLES if isinstance(adapter, Rows) else LINEAR):
        raise ValueError(
            f"{path} is no layer that an adapter fits, or has one already: attach adapters once, and to the model that"
            " they were made for."
        )
    if isinstance(adapter, Rows):
        return Grown(layer, adapter, known_ids(layer))
    if sizes_of(layer) != (adapter.a.shape[0], adapter.b.shape[1]):
        raise ValueError(
            f"the adapter of {path} is for a layer {adapter.a.shape[0]} -> {adapter.b.shape[1]}, and this model's is"
            f" {' -> '.join(map(str, sizes_of(layer)))}: attach it to the model that it was trained with."
        )
    return Adapted(layer, adapter)


def merge(model: Transformer) -> Transformer:
    """A plain model in place of one with adapters: the same function, at the base's cost.

    Each merged weight is the exact sum, rounded once to the base's dtype; a quantized base becomes a plain layer.
    """
    return paths.replace(model, {path: _merged(node) for path, node in _with_adapters(model).items()})


def unmerge(model: Transformer) -> Transformer:
    """The base of a model with adapters, bit for bit, for it was never changed."""
    found = _with_adapters(model)
    base = paths.replace(model, {path: node.base for path, node in found.items()})
    return _with_vocabulary(base, -_new_ids(getattr(found.get(TOKEN), "rows", None)))


def _with_adapters(model: Any) -> dict[str, Any]:
    found = {**paths.find(model, kind=Adapted), **paths.find(model, kind=Grown)}
    if not found:
        raise ValueError("this model has no adapters: attach some first, `lora.attach(model, adapters)`.")
    return found


def _new_ids(rows: Any) -> int:
    return 0 if rows is None else rows.weight.shape[0]


def _with_vocabulary(model: Transformer, more: int) -> Transformer:
    config = dataclasses.replace(model.config, vocab=model.config.vocab + more)
    return dataclasses.replace(model, config=config)


def _merged(node: Adapted | Grown) -> Any:
    if isinstance(node, Grown):
        rows, base = np.asarray(node.rows.weight), np.asarray(dense(node.base))
        if sizes_of(node.base) is None:
            return Embedding(jnp.asarray(np.concatenate([base, rows])))
        return Linear(jnp.asarray(np.concatenate([base, rows.T], axis=1)))
    base, adapter = dense(node.base), node.adapter
    a, b = (np.asarray(x, np.float64) for x in (adapter.a, adapter.b))
    weight = np.asarray(base, np.float64) + adapter.scale * (a @ b)
    if adapter.magnitude is not None:
        squares = (weight**2).sum(axis=0)
        weight *= np.asarray(adapter.magnitude, np.float64) / np.sqrt(np.where(squares > 0, squares, 1))
    return Linear(jnp.asarray(weight.astype(base.dtype)), node.base.bias)


def save_adapters(adapters: Mapping[str, Adapter | Rows], file: str | Path) -> None:
    """Write adapters, and nothing of the base, to a safetensors file: `PATH.a`, `PATH.b`, `PATH.scale`..."""
    scales = {f"{path}.scale": np.float32(x.scale) for path, x in adapters.items() if isinstance(x, Adapter)}
    paths.save_safetensors(paths.flatten(dict(adapters)) | scales, file)


def load_adapters(file: str | Path) -> Adapters:
    """What `save_adapters` wrote.

    Raises:
      FileNotFoundError, ValueError: there is no such file, or it holds no adapters.
    """
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
) -> Adapter | Rows:
    if weight is not None and a is None:
        return Rows(weight)
    if a is None or b is None or scale is None:
        raise TypeError("a part of an adapter is missing")
    return Adapter(a, b, magnitude, float(scale))


LINEAR = (Linear, QuantizedLinear)  # what may be a base
TABLES = (*LINEAR, Embedding, QuantizedEmbedding)  # what may grow by rows


def sizes_of(layer: Any) -> Any:
    """(inputs, outputs) of a linear layer, quantized or not; None of any other."""
    if isinstance(layer, QuantizedLinear):
        return layer.packed.shape[::-1]
    return tuple(layer.weight.shape) if isinstance(layer, Linear) else None


def dense(layer: Any) -> Array:
    """The weight of a layer as plain numbers."""
    return layer.weight


def known_ids(layer: Any) -> int:
    """How many ids a table of embeddings, or a last layer, knows."""
    if sizes := sizes_of(layer):
        return sizes[1]
    return (layer.packed if isinstance(layer, QuantizedEmbedding) else layer.weight).shape[0]


def _lengths(weight: Array) -> Array:
    """Of the columns of a weight: (outputs,); 1 for a column of zeros, which has no direction."""
    squares = ops.sum(ops.square(weight), axis=0)
    return ops.sqrt(ops.where(squares > 0, squares, 1))
