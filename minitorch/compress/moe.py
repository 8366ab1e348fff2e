"""How does a model know more at the same cost? It has many feed-forward layers, experts, and asks a few for each token.

A router scores the experts, and the best `top` of them answer, weighted by their probabilities. Two losses keep the
router from always asking the same ones, and its scores small. A mixture stands in a block where a feed-forward layer
stood, and its experts are such layers: whatever is done to layers by path is done to them.

Called as a layer, it is dropless: every token gets the experts that it chose. `learn_mixture` trains it, and only there
a `capacity` may limit how many tokens an expert takes, so that no expert's work is larger than planned.

Shazeer et al., arXiv 1701.06538; Fedus et al., arXiv 2101.03961 (Switch); Zoph et al., arXiv 2202.08906 (ST-MoE).

Axes: N tokens, D model width, E experts, C an expert's capacity.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .. import nn, ops
from ..autodiff import Tensor, stop_gradient
from ..models import Transformer
from ..models.gpt import FeedForward
from ..models.llama import SwiGLU
from ..nn import Module, full_precision, paths, static
from ..nn.init import named, normal
from ..train import MakeTask, RunConfig, Task, language_modelling
from ..train.config import DTYPES
from .structured_prune import keep_neurons

Array = jax.Array


class Routing(NamedTuple):
    """Who answers whom."""

    logits: Array  # (N, E)
    probabilities: Array  # (N, E)
    chosen: Array  # (N, E) booleans, `top` of each row
    gates: Array  # (N, E): the weight of each answer, 0 where not chosen


class Router(Module):
    """x (N, D) to scores (N, E), in float32 at least: a rounded score may be another choice.

    It is no `Linear`, and so is left alone by what rounds, prunes or adapts linear layers.
    """

    weight: Array  # (D, E)

    def __call__(self, x: Array) -> Array:
        return ops.matmul(full_precision(x), full_precision(self.weight))


class Mixture(Module):
    """x (..., D) to (..., D): the weighted answers of the `top` best experts of each token.

    With top = 1 an answer is weighted by its probability, as in Switch; with more the weights of the chosen sum to 1.
    """

    router: Router
    experts: list[Any]  # each a feed-forward layer (..., D) -> (..., D)
    top: int = static(default=2)

    @classmethod
    def init(cls, key: Array, width: int, experts: list[Any], top: int = 2) -> Mixture:
        """A mixture of `experts` with a new router.

        Raises ValueError unless 1 <= top <= experts.
        """
        if not 1 <= top <= len(experts):
            raise ValueError(f"{top} of {len(experts)} experts cannot answer: choose top from 1 to {len(experts)}.")
        return cls(Router(normal(0.02)(named(key, "router"), (width, len(experts)))), experts, top)

    def __call__(self, x: Array) -> Array:
        flat = ops.reshape(x, (-1, x.shape[-1]))  # (N, D)
        return ops.reshape(self.answer(flat, self.route(flat)), x.shape)

    def route(self, x: Array) -> Routing:
        """Which experts the tokens x (N, D) ask."""
        logits = self.router(x)
        probabilities = ops.softmax(logits)
        _, best = jax.lax.top_k(stop_gradient(logits), self.top)  # (N, top)
        chosen = jnp.any(best[:, :, None] == jnp.arange(len(self.experts)), axis=1)
        gates = ops.where(chosen, probabilities, 0)
        if self.top > 1:
            gates = gates / ops.sum(gates, axis=-1, keepdims=True)
        return Routing(logits, probabilities, chosen, ops.astype(gates, x.dtype))

    def answer(self, x: Array, routing: Routing) -> Array:
        """The answers to the tokens x (N, D), of all experts that were chosen."""
        answers = [_answer(expert, x, routing.gates[:, e : e + 1]) for e, expert in enumerate(self.experts)]
        return sum(answers[1:], answers[0])

    def answer_within(self, x: Array, routing: Routing, capacity: float) -> Array:
        """The same, but no expert takes more than capacity x N top / E tokens: the first that chose it.

        What an expert does not take passes by it, and only the residual stream carries it on.
        """
        N, E = x.shape[0], len(self.experts)
        C = min(N, math.ceil(capacity * N * self.top / E))
        waiting = jnp.where(routing.chosen, jnp.arange(N)[:, None], N)
        places = jnp.sort(waiting, axis=0)[:C].T  # (E, C): N, which is outside, where fewer than C chose an expert
        y = jnp.zeros(x.shape, x.dtype)
        for e, expert in enumerate(self.experts):
            taken = jnp.minimum(places[e], N - 1)
            y = ops.at(y)[places[e]].add(routing.gates[taken, e][:, None] * expert(x[taken]))  # Outside, it is dropped.
        return y


def _answer(expert: Any, x: Array, gate: Array) -> Array:
    """gate x expert(x), computed for all tokens. Generating, an expert that nobody asks costs nothing."""
    is_recorded = any(isinstance(leaf, Tensor) for leaf in jax.tree.leaves((expert, x, gate)))
    if is_recorded or len(x) > FEW:
        return gate * expert(x)
    return jax.lax.cond(jnp.any(gate > 0), lambda: gate * expert(x), lambda: jnp.zeros_like(x))


FEW = 8  # tokens; among more there is one for each expert


def balance_loss(routing: Routing) -> Array:
    """E x sum over experts of (share of the choices) x (mean probability): 1 if all are asked alike, up to E / top.

    Equation 4 of Fedus et al., arXiv 2101.03961, with the choices of all `top` places counted.
    """
    chosen = routing.chosen.astype(jnp.float32)
    shares = jnp.mean(chosen, axis=0) / jnp.mean(jnp.sum(chosen, axis=1))
    return len(shares) * ops.sum(shares * ops.mean(routing.probabilities, axis=0))


def z_loss(routing: Routing) -> Array:
    """The mean squared logsumexp of the router's scores, which keeps them small. Equation 5 of ST-MoE."""
    return ops.mean(ops.square(ops.logsumexp(routing.logits, axis=-1)))


class _Watched(Module):
    """A mixture in training: with a capacity, and telling how it routes."""

    mixture: Mixture
    capacity: float | None = static()
    hear: Callable[[Routing], None] = static()

    def __call__(self, x: Array) -> Array:
        flat = ops.reshape(x, (-1, x.shape[-1]))
        routing = self.mixture.route(flat)
        self.hear(routing)
        if self.capacity is None:
            return ops.reshape(self.mixture.answer(flat, routing), x.shape)
        return ops.reshape(self.mixture.answer_within(flat, routing, self.capacity), x.shape)


def run_watched(model: Transformer, ids: Array, capacity: float | None = None) -> tuple[Array, list[Routing]]:
    """`model(ids)`, and how each of its mixtures routes.

    Raises ValueError if it has none.
    """
    mixtures, heard = paths.find(model, kind=Mixture), []
    if not mixtures:
        raise ValueError("this model has no mixture of experts: make some first, with `upcycle` or `with_experts`.")
    watched = {path: _Watched(mixture, capacity, heard.append) for path, mixture in mixtures.items()}
    return paths.replace(model, watched)(ids), heard


def expert_use(model: Transformer, ids: Array) -> Array:
    """The share of its tokens that each expert of each mixture answers (L, E), over texts (B, T); top / E is even."""

    @jax.jit
    def shares(model: Transformer, ids: Array) -> Array:
        return jnp.stack([jnp.mean(routing.chosen, axis=0) for routing in run_watched(model, ids)[1]])

    return shares(model, ids)


def upcycle(model: Transformer, key: Array, experts: int = 4, top: int = 2, pattern: str = "blocks.*.mlp") -> Any:
    """`model` with a mixture of copies in place of each feed-forward layer: at first, the same function.

    Komatsuzaki et al., arXiv 2212.05055.

    Raises:
      ValueError: the pattern matches no feed-forward layer, or top is not from 2 to `experts`: of one answer, weighted
        by its probability, only a part would be left.
    """
    layers = feed_forward_layers(model, pattern)
    if top < 2:
        raise ValueError(f"an upcycled mixture asks two experts or more, and not {top}: their weights then sum to 1.")
    width = model.config.width
    mixtures = {path: Mixture.init(named(key, path), width, [layer] * experts, top) for path, layer in layers.items()}
    return paths.replace(model, mixtures)


def with_experts(model: Transformer, key: Array, others: list[Transformer], top: int = 2) -> Transformer:
    """A new model of mixtures whose experts are narrow: each has 1 / top of the neurons, so that a token meets as many
    as in `model`. The experts are those of `model` and `others`, new models of the same configuration.
    """
    every = [feed_forward_layers(m, "blocks.*.mlp") for m in (model, *others)]
    mixtures = {}
    for path in every[0]:
        neurons = every[0][path].down.weight.shape[0] // top
        experts = [keep_neurons(layers[path], range(neurons)) for layers in every]
        mixtures[path] = Mixture.init(named(key, path), model.config.width, experts, top)
    return paths.replace(model, mixtures)


def refuse_mixtures(model: Any, what: str) -> None:
    """Raise ValueError for a model with mixtures, whose experts are given tokens that they do not answer."""
    if found := paths.find(model, kind=Mixture):
        raise ValueError(
            f"{what} judges a layer by what it reads, and cannot tell which tokens an expert answers, as in"
            f" {next(iter(found))}: round or prune this model by its weights alone."
        )


def feed_forward_layers(model: Any, pattern: str) -> dict[str, Any]:
    """The feed-forward layers whose path matches the glob, by path. Raises ValueError if there are none."""
    found = {**paths.find(model, pattern, FeedForward), **paths.find(model, pattern, SwiGLU)}
    if not found:
        raise ValueError(f"no feed-forward layer has a path like {pattern!r}: theirs are blocks.0.mlp and so on.")
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a mixture is trained. `capacity` None is dropless; `balance` and `z` are the weights of the two losses."""

    experts: int = 4
    top: int = 2
    capacity: float | None = 1.25
    balance: float = 0.05
    z: float = 0.001

    def __post_init__(self) -> None:
        if self.capacity is not None and self.capacity <= 0:
            raise ValueError(f"a capacity of {self.capacity} lets no expert answer: give 1.25, say, or None for all.")
        if min(self.balance, self.z) < 0:
            raise ValueError(
                f"balance and z weigh losses, so {min(self.balance, self.z)} is not possible: give 0 or more."
            )


def learn_mixture(recipe: Recipe | None = None, start: Transformer | None = None) -> MakeTask:
    """A task: the model `start`, which has mixtures, or a new one made of the run's settings, predicts the next token.

    Raises ValueError for a model without mixtures, or a recipe that makes none.
    """
    recipe = recipe or Recipe()

    def task(config: RunConfig, out: Path) -> Task:
        plain = language_modelling(config, out)
        model, dtype = start or _new_model(config, recipe, plain.start), DTYPES[config.dtype]

        def loss(model: Transformer, inputs: Array, targets: Array) -> Array:
            logits, routings = run_watched(nn.cast(model, dtype), inputs, recipe.capacity)
            extra = [recipe.balance * balance_loss(r) + recipe.z * z_loss(r) for r in routings]
            return nn.cross_entropy(logits, targets) + sum(extra[1:], extra[0]) / len(extra)

        return dataclasses.replace(plain, start=model, loss=loss)

    return task


def _new_model(config: RunConfig, recipe: Recipe, first: Transformer) -> Transformer:
    seeds = [dataclasses.replace(config, seed=(config.seed + i) % 2**32) for i in range(1, recipe.experts)]
    others = [c.init_model(first.config.vocab) for c in seeds]
    return with_experts(first, jax.random.key(config.seed), others, recipe.top)
