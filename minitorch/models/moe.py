"""The mixture-of-experts layer: a router sends each token to its best few of many feed-forward layers.

The outputs of the best `top_k` experts of a token are summed, weighted by the router's probabilities. Two auxiliary
losses keep the experts evenly used and the router's logits small. The layer takes the place of the feed-forward layer
of a block, and its experts are such layers, so what finds layers by path also finds the experts. `compress.moe` trains
these layers, and upcycles a dense model into one that has them.

Shazeer et al., arXiv 1701.06538; Fedus et al., arXiv 2101.03961 (Switch); Zoph et al., arXiv 2202.08906 (ST-MoE).

Axes: N tokens, D model width, E experts, C capacity of an expert.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Integer

from .. import ops
from .._numbers import check_whole
from .._types import Array, Key
from ..autodiff import Tensor, stop_gradient
from ..nn import Module, at_least_float32, paths, static
from ..nn.hooks import with_hooks
from ..nn.init import fold_in_name, normal
from ..nn.mean import sum_over_devices
from .transformer import Transformer

FEW_TOKENS = 8  # Up to this number of tokens, an expert that none of them chose is skipped.


class Routing(NamedTuple):
    """The experts of each token."""

    logits: Float[Array, "N E"]
    probabilities: Float[Array, "N E"]
    chosen: Bool[Array, "N E"]  # `top_k` in each row.
    gates: Float[Array, "N E"]  # The weight of each expert's output, 0 where not chosen.


class Router(Module):
    """A linear layer that scores the experts for each token, in float32 at least, and chooses the best `top_k`.

    With top_k = 1 a gate is the expert's probability (Switch); with more, the gates of a token sum to 1. A router is
    not a `Linear`, so quantization, pruning and adapters leave it as it is.
    """

    weight: Float[Array, "D E"]
    top_k: int = static(default=2)

    def logits(self, x: Float[Array, "N D"]) -> Float[Array, "N E"]:
        """Return the experts' scores."""
        return ops.matmul(at_least_float32(x), at_least_float32(self.weight))

    def __call__(self, x: Float[Array, "N D"]) -> Routing:
        """Choose the experts of the tokens x."""
        logits = self.logits(x)
        probabilities = ops.softmax(logits)
        _, best = jax.lax.top_k(stop_gradient(logits), self.top_k)  # (N, top_k)
        chosen = jnp.any(best[:, :, None] == jnp.arange(logits.shape[1]), axis=1)  # (N, E)
        gates = ops.where(chosen, probabilities, 0)
        if self.top_k > 1:
            gates = gates / ops.sum(gates, axis=-1, keepdims=True)
        return Routing(logits, probabilities, chosen, ops.astype(gates, x.dtype))


class MoE(Module):
    """A mixture of experts: x (..., D) to the gated sum (..., D) of the outputs of each token's experts.

    Without a capacity it is dropless: every token gets all the experts that it chose.
    """

    router: Router
    experts: list[Any]  # Modules (..., D) -> (..., D).
    capacity: float | None = static(default=None)

    @classmethod
    def init(cls, key: Key, width: int, experts: list[Any], top_k: int = 2) -> MoE:
        """Return a mixture of `experts` with a new router. Raises ValueError if top_k is not from 1 to their number."""
        if not 1 <= (top_k := check_whole("top_k", top_k)) <= len(experts):
            n = len(experts)
            raise ValueError(f"a token cannot have {top_k} of {n} experts: choose top_k from 1 to {n}.")
        return cls(Router(normal(0.02)(fold_in_name(key, "router"), (width, len(experts))), top_k), experts)

    def __call__(self, x: Float[Array, "*batch D"]) -> Float[Array, "*batch D"]:
        flat = ops.reshape(x, (-1, x.shape[-1]))  # (N, D)
        routing = self.router(flat)
        if self.capacity is None:
            return ops.reshape(self.combine(flat, routing), x.shape)
        rows = math.prod(x.shape[:-2])
        return ops.reshape(self.combine_with_capacity(flat, routing, self.capacity, rows), x.shape)

    def combine(self, x: Float[Array, "N D"], routing: Routing) -> Float[Array, "N D"]:
        """Return the gated sum of the experts' outputs."""
        outputs = [_gated(expert, x, routing.gates[:, e : e + 1]) for e, expert in enumerate(self.experts)]
        return sum(outputs[1:], outputs[0])

    def combine_with_capacity(
        self, x: Float[Array, "N D"], routing: Routing, capacity: float, rows: int = 1
    ) -> Float[Array, "N D"]:
        """Combine as `combine` does, with at most capacity x T top_k / E tokens for an expert: the first that chose it.

        The tokens are `rows` texts of T = N / rows tokens, each with its own places (the groups of Lepikhin et al.,
        arXiv 2006.16668): a text is computed alike in every batch and on any number of devices. The other tokens skip
        the expert, and only the residual stream carries them on.
        """
        N, E = x.shape[0], len(self.experts)
        T = N // rows
        C = min(T, math.ceil(capacity * T * self.router.top_k / E))
        waiting = jnp.where(routing.chosen, jnp.arange(N)[:, None], N).reshape(rows, T, E)
        first = jnp.sort(waiting, axis=1)[:, :C]  # (rows, C, E): N, out of bounds, where fewer than C chose an expert
        places = first.reshape(-1, E).T  # (E, rows C)
        y = jnp.zeros(x.shape, x.dtype)
        for e, expert in enumerate(self.experts):
            taken = jnp.minimum(places[e], N - 1)
            y = ops.at(y)[places[e]].add(routing.gates[taken, e][:, None] * expert(x[taken]))  # Drops out-of-bounds.
        return y


def _gated(expert: Any, x: Array, gate: Array) -> Array:
    """Return gate x expert(x) for all tokens. During generation, skip an expert that no token chose."""
    is_recorded = any(isinstance(leaf, Tensor) for leaf in jax.tree.leaves((expert, x, gate)))
    if is_recorded or len(x) > FEW_TOKENS:
        return gate * expert(x)
    return jax.lax.cond(jnp.any(gate > 0), lambda: gate * expert(x), lambda: jnp.zeros_like(x))


def balance_loss(routing: Routing) -> Float[Array, ""]:
    """Return E x the sum over experts of (share of the choices) x (mean probability): 1 if even, at most E / top_k.

    Equation 4 of Fedus et al., arXiv 2101.03961, counting all `top_k` choices. The shares are those of the whole batch,
    on all devices: experts may specialize within it (Qiu et al., arXiv 2501.11873).
    """
    counts = sum_over_devices(jnp.sum(routing.chosen, axis=0, dtype=jnp.float32))  # (E,)
    shares = counts / jnp.sum(counts)  # (E,)
    return len(shares) * ops.sum(shares * ops.mean(routing.probabilities, axis=0))


def z_loss(routing: Routing) -> Float[Array, ""]:
    """Return the mean squared logsumexp of the router's logits, which keeps them small. Equation 5 of ST-MoE."""
    return ops.mean(ops.square(ops.logsumexp(routing.logits, axis=-1)))


def forward_with_routing(
    model: Transformer, ids: Integer[Array, "B T"], capacity: float | None = None
) -> tuple[Float[Array, "B T V"], list[Routing]]:
    """Return the logits of ids, and the routing of each mixture of experts. Raises ValueError if there is none."""
    layers, routings = paths.find(model, kind=MoE), []
    if not layers:
        raise ValueError("this model has no mixture of experts: add some first, with `upcycle` or `with_experts`.")
    limited = {path: dataclasses.replace(layer, capacity=capacity) for path, layer in layers.items()}
    hooked = with_hooks(
        paths.replace(model, limited),
        lambda path, args, routing: routings.append(routing),
        lambda path, layer: isinstance(layer, Router),
    )
    return hooked(ids), routings
