"""Train mixtures of experts (`models.moe`): more weights at the same cost per token.

`train_moe` trains a new model of narrow experts; `upcycle` turns a dense model into one with copies of its layers as
experts. During training a capacity may limit how many tokens an expert takes, so that no expert's work exceeds a plan.

Axes: B batch, T time, L mixtures, E experts.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from .. import nn
from .._numbers import check_whole, normalize
from ..models.gpt import FeedForward
from ..models.llama import SwiGLU
from ..models.moe import MoE, balance_loss, forward_with_routing, z_loss
from ..nn import paths
from ..nn.init import fold_in_name
from ..train import RunConfig, Task, TaskFactory, language_modelling
from ..train.config import DTYPES
from .structured_prune import keep_neurons

if TYPE_CHECKING:
    from pathlib import Path

    from .._types import Array, Key
    from ..models import Transformer


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoEConfig:
    """The settings of a mixture of experts and of its training.

    Args:
      experts: experts of each mixture.
      top_k: experts of each token.
      capacity: the tokens of a text that an expert takes in training, relative to an even share; None for no limit.
      balance: weight of `balance_loss`.
      z: weight of `z_loss`.
    """

    experts: int = 4
    top_k: int = 2
    capacity: float | None = 1.25
    balance: float = 0.05
    z: float = 0.001

    def __post_init__(self) -> None:
        if problems := normalize(self):
            raise ValueError(f"this mixture is not possible: {'; '.join(problems)}.")
        if self.capacity is not None and not 0 < self.capacity < math.inf:
            raise ValueError(f"with a capacity of {self.capacity} no expert takes a token: give 1.25, or None for all.")
        for weight in (self.balance, self.z):
            if not 0 <= weight < math.inf:
                raise ValueError(f"balance and z are weights of losses, so {weight} is not possible: give 0 or more.")
        if not 1 <= self.top_k <= self.experts:
            raise ValueError(f"a token cannot have {self.top_k} of {self.experts} experts: give 1 <= top_k <= experts.")


def train_moe(config: MoEConfig | None = None, start: Transformer | None = None) -> TaskFactory:
    """Return the task of training mixtures of experts to predict the next token, for `train.train`.

    Args:
      config: the settings of the mixtures and of their losses.
      start: a model with mixtures of experts; by default a new one with the settings of the run.

    Raises:
      ValueError: the model has no mixtures, or the settings are impossible.
    """
    moe = config or MoEConfig()

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out)
        model, dtype = start or _new_model(config, moe, plain.start), DTYPES[config.dtype]

        def loss(model: Transformer, inputs: Array, targets: Array) -> Array:
            logits, routings = forward_with_routing(nn.cast(model, dtype), inputs, moe.capacity)
            auxiliary = [moe.balance * balance_loss(r) + moe.z * z_loss(r) for r in routings]
            return nn.cross_entropy(logits, targets) + sum(auxiliary[1:], auxiliary[0]) / len(auxiliary)

        return dataclasses.replace(plain, start=model, loss=loss)

    return task


def _new_model(config: RunConfig, moe: MoEConfig, first: Transformer) -> Transformer:
    seeds = [dataclasses.replace(config, seed=(config.seed + i) % 2**32) for i in range(1, moe.experts)]
    others = [c.init_model(first.config.vocab) for c in seeds]
    return with_experts(first, jax.random.key(config.seed), others, moe.top_k)


def upcycle(
    model: Transformer, key: Key, experts: int = 4, top_k: int = 2, pattern: str = "blocks.*.mlp"
) -> Transformer:
    """Replace each feed-forward layer by a mixture of copies of it, which at first computes the same function.

    Komatsuzaki et al., arXiv 2212.05055.

    Raises:
      ValueError: the pattern matches no feed-forward layer, or top_k is not from 2 to `experts`: with 1, the output of
        the only expert would be scaled by its probability.
    """
    layers, experts = feed_forward_layers(model, pattern), check_whole("experts", experts)
    if (top_k := check_whole("top_k", top_k)) < 2:
        raise ValueError(
            f"an upcycled mixture needs two experts per token or more, whose gates sum to 1, and not {top_k}."
        )
    mixtures, width = {}, model.config.width
    for path, layer in layers.items():
        mixtures[path] = MoE.init(fold_in_name(key, path), width, [layer] * experts, top_k)
    return paths.replace(model, mixtures)


def with_experts(model: Transformer, key: Key, others: list[Transformer], top_k: int = 2) -> Transformer:
    """Replace each feed-forward layer by a mixture of narrow experts, from `model` and from `others` of its shape.

    An expert has 1 / top_k of a layer's neurons, so a token passes as many neurons as in `model`.
    """
    every = [feed_forward_layers(m, "blocks.*.mlp") for m in (model, *others)]
    mixtures = {}
    for path in every[0]:
        neurons = every[0][path].down.weight.shape[0] // top_k
        experts = [keep_neurons(layers[path], range(neurons)) for layers in every]
        mixtures[path] = MoE.init(fold_in_name(key, path), model.config.width, experts, top_k)
    return paths.replace(model, mixtures)


def expert_use(model: Transformer, ids: Array) -> Array:
    """Return the share of tokens that each expert of each mixture gets: texts (B, T) to (L, E). Even is top_k / E."""

    @jax.jit
    def shares(model: Transformer, ids: Array) -> Array:
        return jnp.stack([jnp.mean(routing.chosen, axis=0) for routing in forward_with_routing(model, ids)[1]])

    return shares(model, ids)


def reject_moe(model: Any, method: str) -> None:
    """Raise ValueError for a model with mixtures, whose experts are computed for tokens that did not choose them."""
    if found := paths.find(model, kind=MoE):
        raise ValueError(
            f"{method} uses the inputs of each layer, and cannot know which of them an expert really gets, as in"
            f" {next(iter(found))}: quantize or prune this model by its weights alone."
        )


def feed_forward_layers(model: Any, pattern: str) -> dict[str, Any]:
    """Return the feed-forward layers that match the glob `pattern`, by path. Raises ValueError if none does."""
    found = {**paths.find(model, pattern, FeedForward), **paths.find(model, pattern, SwiGLU)}
    if not found:
        raise ValueError(f"no feed-forward layer has a path like {pattern!r}: their paths are blocks.0.mlp and so on.")
    return found
