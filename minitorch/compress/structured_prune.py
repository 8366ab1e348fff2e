"""Structured pruning: remove whole heads, neurons and layers, so that the model is smaller and faster.

The importance of a head or neuron is the absolute gradient of the loss with respect to a factor of 1 on its output
(Michel, Levy and Neubig, arXiv 1905.10650), averaged over texts. The absolute value comes before the mean, because the
mean gradient of a converged model is 0. The importance of a layer is the angle by which it turns the residual stream
(Men et al., arXiv 2403.03853).

Axes: B batch, T time, D model width, H heads, K key/value heads, F feed-forward width.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import nn
from .._numbers import check_real
from ..autodiff import grad
from ..models.gpt import FeedForward
from ..models.llama import SwiGLU
from ..nn import Attention, Linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._types import Array
    from ..models import Transformer


@jax.jit
def _importances(model: Transformer, ids: Array) -> tuple[list[Array], list[Array], Array]:
    """Return the importance of each layer's key heads (K,) and neurons (F,), and of the layers (L,); ids (B, T + 1)."""

    def of_text(ids: Array) -> tuple[list[Array], list[Array]]:
        gradient = grad(lambda model: nn.cross_entropy(model(ids[None, :-1]), ids[None, 1:]))(model)
        heads, neurons = [], []
        for block, g in zip(model.blocks, gradient.blocks, strict=True):
            # A factor on the output of a part multiplies the rows of the matrix that reads it.
            by_row = jnp.sum(block.attention.out.weight * g.attention.out.weight, axis=1)
            heads.append(jnp.abs(by_row.reshape(block.attention.kv_heads, -1).sum(axis=1)))
            neurons.append(jnp.abs(jnp.sum(block.mlp.down.weight * g.mlp.down.weight, axis=1)))
        return heads, neurons

    heads, neurons = jax.tree.map(lambda x: x.mean(axis=0), jax.lax.map(of_text, ids))
    turned = [1 - jnp.mean(_cosine(x, y)) for x, y in pairwise(model.hidden_states(ids[:, :-1]))]
    return heads, neurons, jnp.stack(turned)


def _cosine(x: Array, y: Array) -> Array:
    sizes = jnp.linalg.norm(x, axis=-1) * jnp.linalg.norm(y, axis=-1)
    return jnp.sum(x * y, axis=-1) / jnp.maximum(sizes, 1e-12)


def shrink(
    model: Transformer, ids: Array, *, heads: float = 0.0, neurons: float = 0.0, layers: float = 0.0
) -> Transformer:
    """Return `model` without the least important share of its layers, and of the heads and neurons of each layer.

    Layers are removed first. Heads that share a key head are removed together with it. At least one of each is kept.

    Args:
      model: a GPT or Llama.
      ids: texts (B, T + 1) on which importance is measured.
      heads: the share of each layer's key heads to remove.
      neurons: the share of each layer's neurons to remove.
      layers: the share of the layers to remove.

    Raises:
      ValueError: an impossible share, no text, or a layer of another kind than those of GPT and Llama.
    """
    for name, share in (("heads", heads), ("neurons", neurons), ("layers", layers)):
        check_real(name, share, lambda x: 0 <= x < 1, "the share of them to remove, from 0 up to below 1")
    if ids.ndim != 2 or ids.shape[0] < 1 or ids.shape[1] < 2:
        raise ValueError(
            f"importance is measured on texts (B, T + 1), but the ids have shape {tuple(ids.shape)}: give some."
        )
    for i, block in enumerate(model.blocks):
        if not isinstance(block.mlp, FeedForward | SwiGLU) or type(block.attention.out) is not Linear:
            raise ValueError(
                f"blocks.{i} is not a plain layer of GPT or Llama: shrink a model before it is quantized"
                " or gets adapters or experts."
            )
    if layers:
        model = keep_layers(model, top_scores(_importances(model, ids)[2], layers))
    by_head, by_neuron, _ = _importances(model, ids)
    blocks = [
        dataclasses.replace(
            block,
            attention=keep_heads(block.attention, top_scores(by_head[i], heads)),
            mlp=keep_neurons(block.mlp, top_scores(by_neuron[i], neurons)),
        )
        for i, block in enumerate(model.blocks)
    ]
    return dataclasses.replace(model, blocks=blocks)


def top_scores(scores: Array, share: float) -> list[int]:
    """Return the sorted indices of the top scores (N,) that are kept if a `share` is removed; at least one."""
    removed = min(round(share * len(scores)), len(scores) - 1)
    return sorted(np.argsort(np.asarray(scores), kind="stable")[removed:].tolist())


def keep_layers(model: Transformer, keep: Sequence[int]) -> Transformer:
    """Return `model` with only the blocks at the indices `keep`."""
    config = dataclasses.replace(model.config, layers=len(keep))
    return dataclasses.replace(model, blocks=[model.blocks[i] for i in keep], config=config)


def keep_heads(attention: Attention, keep: Sequence[int]) -> Attention:
    """Return `attention` with only the key heads `keep`, each with the query heads that share it."""
    H, K = attention.heads, attention.kv_heads
    d = attention.out.weight.shape[0] // H
    queries = [q for k in keep for q in range(k * H // K, (k + 1) * H // K)]
    kept = [*queries, *(H + k for k in keep), *(H + K + k for k in keep)]
    return dataclasses.replace(
        attention,
        qkv=_columns(attention.qkv, _columns_of(kept, d)),
        out=_rows(attention.out, _columns_of(queries, d)),
        heads=len(queries),
        kv_heads=len(keep),
    )


def keep_neurons(mlp: Any, keep: Sequence[int]) -> Any:
    """Return a feed-forward layer with only the neurons `keep` of its F neurons."""
    indices = np.asarray(keep)
    down = _rows(mlp.down, indices)
    if isinstance(mlp, SwiGLU):
        both = np.concatenate([indices, indices + mlp.down.weight.shape[0]])
        return dataclasses.replace(mlp, gate_up=_columns(mlp.gate_up, both), down=down)
    return dataclasses.replace(mlp, up=_columns(mlp.up, indices), down=down)


def _columns_of(heads: Sequence[int], d: int) -> np.ndarray:
    """Return the indices of the d columns of each of the heads."""
    return (np.asarray(heads)[:, None] * d + np.arange(d)).ravel()


def _columns(layer: Linear, indices: np.ndarray) -> Linear:
    return Linear(layer.weight[:, indices], None if layer.bias is None else layer.bias[indices])


def _rows(layer: Linear, indices: np.ndarray) -> Linear:
    return Linear(layer.weight[indices], layer.bias)
