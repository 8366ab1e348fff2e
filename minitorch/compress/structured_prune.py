"""Which parts can go? Whole heads, neurons and layers are cut out: the model has fewer parameters and is faster.

The importance of a part is how much the loss would change, to first order, if its output were dimmed a little: the
gradient with respect to a factor of 1 in front of it (Michel, Levy and Neubig, arXiv 1905.10650), its size averaged
over texts: where a model has learned all it can, the mean of the gradient itself is 0 for every part. The importance of
a layer is how far it turns the stream that passes it (Men et al., arXiv 2403.03853).

Axes: B batch, T time, D model width, H heads, K key/value heads, F feed-forward width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import nn
from ..autodiff import grad
from ..models import Transformer
from ..models.gpt import FeedForward
from ..models.llama import SwiGLU
from ..nn import Attention, Linear

Array = jax.Array


@jax.jit
def _importances(model: Transformer, ids: Array) -> tuple[list[Array], list[Array], Array]:
    """Of every layer's key heads (K,) and neurons (F,), and of the layers (L,), on texts (B, T + 1)."""

    def of_text(ids: Array) -> tuple[list[Array], list[Array]]:
        gradient = grad(lambda model: nn.cross_entropy(model(ids[None, :-1]), ids[None, 1:]))(model)
        heads, neurons = [], []
        for block, g in zip(model.blocks, gradient.blocks, strict=True):
            # A factor in front of a part multiplies the rows of the matrix that reads it.
            by_row = jnp.sum(block.attention.out.weight * g.attention.out.weight, axis=1)
            heads.append(jnp.abs(by_row.reshape(block.attention.kv_heads, -1).sum(axis=1)))
            neurons.append(jnp.abs(jnp.sum(block.mlp.down.weight * g.mlp.down.weight, axis=1)))
        return heads, neurons

    heads, neurons = jax.tree.map(lambda x: x.mean(axis=0), jax.lax.map(of_text, ids))
    turned = [1 - jnp.mean(_cosine(x, y)) for x, y in pairwise(model.states(ids[:, :-1]))]
    return heads, neurons, jnp.stack(turned)


def _cosine(x: Array, y: Array) -> Array:
    sizes = jnp.linalg.norm(x, axis=-1) * jnp.linalg.norm(y, axis=-1)
    return jnp.sum(x * y, axis=-1) / jnp.maximum(sizes, 1e-12)


def shrink(
    model: Transformer, ids: Array, *, heads: float = 0.0, neurons: float = 0.0, layers: float = 0.0
) -> Transformer:
    """`model` without the least important share of the heads and neurons of each layer, and of the layers.

    Layers go first. Heads that share a key head go together with it. One of each always stays.

    Args:
      ids: texts (B, T + 1) to judge by.

    Raises:
      ValueError: an impossible share, no text, or a layer of another kind than GPT's and Llama's.
    """
    for name, share in (("heads", heads), ("neurons", neurons), ("layers", layers)):
        if not 0 <= share < 1:
            raise ValueError(f"{name} is the share of them that goes, from 0 up to below 1, and not {share}.")
    if ids.ndim != 2 or ids.shape[0] < 1 or ids.shape[1] < 2:
        raise ValueError(f"parts are judged by texts (B, T + 1), but the ids have shape {tuple(ids.shape)}: give some.")
    for i, block in enumerate(model.blocks):
        if not isinstance(block.mlp, FeedForward | SwiGLU) or type(block.attention.out) is not Linear:
            raise ValueError(
                f"blocks.{i} is no plain layer of GPT or Llama: shrink a model before it is quantized, adapted or given"
                " experts."
            )
    if layers:
        model = keep_layers(model, most_important(_importances(model, ids)[2], layers))
    by_head, by_neuron, _ = _importances(model, ids)
    blocks = [
        dataclasses.replace(
            block,
            attention=keep_heads(block.attention, most_important(by_head[i], heads)),
            mlp=keep_neurons(block.mlp, most_important(by_neuron[i], neurons)),
        )
        for i, block in enumerate(model.blocks)
    ]
    return dataclasses.replace(model, blocks=blocks)


def most_important(scores: Array, share: float) -> list[int]:
    """The places of the scores (N,) that stay if a `share` goes, in order; at least one."""
    gone = min(round(share * len(scores)), len(scores) - 1)
    return sorted(np.argsort(np.asarray(scores), kind="stable")[gone:].tolist())


def keep_layers(model: Transformer, keep: Sequence[int]) -> Transformer:
    """`model` with these of its blocks only."""
    config = dataclasses.replace(model.config, layers=len(keep))
    return dataclasses.replace(model, blocks=[model.blocks[i] for i in keep], config=config)


def keep_heads(attention: Attention, keep: Sequence[int]) -> Attention:
    """`attention` with these of its key heads only, each with the heads that ask it."""
    H, K = attention.heads, attention.kv_heads
    d = attention.out.weight.shape[0] // H
    queries = [q for k in keep for q in range(k * H // K, (k + 1) * H // K)]
    kept = [*queries, *(H + k for k in keep), *(H + K + k for k in keep)]
    return dataclasses.replace(
        attention,
        qkv=_columns(attention.qkv, _spread(kept, d)),
        out=_rows(attention.out, _spread(queries, d)),
        heads=len(queries),
        kv_heads=len(keep),
    )


def keep_neurons(mlp: Any, keep: Sequence[int]) -> Any:
    """A feed-forward layer with these of its F neurons only."""
    places = np.asarray(keep)
    down = _rows(mlp.down, places)
    if isinstance(mlp, SwiGLU):
        F = mlp.down.weight.shape[0]
        return dataclasses.replace(mlp, gate_up=_columns(mlp.gate_up, np.concatenate([places, places + F])), down=down)
    return dataclasses.replace(mlp, up=_columns(mlp.up, places), down=down)


def _spread(heads: Sequence[int], d: int) -> np.ndarray:
    """The places of these heads' numbers, d each."""
    return (np.asarray(heads)[:, None] * d + np.arange(d)).ravel()


def _columns(layer: Linear, places: np.ndarray) -> Linear:
    return Linear(layer.weight[:, places], None if layer.bias is None else layer.bias[places])


def _rows(layer: Linear, places: np.ndarray) -> Linear:
    return Linear(layer.weight[places], layer.bias)
