"""Samplers: how the next token is chosen from logits.

    samplers = [temperature(0.8), top_p(0.95)]
    token = sample(key, logits, samplers)  # (...,)

A sampler is a function of logits (..., V) that sets the logits of excluded tokens to -inf; tokens that tie at the
border all stay. Samplers apply in order, usually the temperature first. Those of this file are modules, and their
number is a leaf, so another temperature compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from .._types import Array, Key
from ..nn import Module, static

Sampler = Callable[[Array], Array]
"""Logits (..., V) to logits (..., V)."""


def sample(key: Key, logits: Float[Array, "*batch V"], samplers: Sequence[Sampler] = ()) -> Int[Array, "*batch"]:
    """Sample one token for each row of logits (..., V): int32 (...,)."""
    for i, sampler in enumerate(samplers):
        if isinstance(sampler, Greedy) and all(isinstance(s, Greedy | Warper) for s in samplers[i:]):
            return greedy(logits)  # The samplers that follow keep the only token, so no noise is needed.
        logits = sampler(logits)
    return greedy(logits + jax.random.gumbel(key, logits.shape, logits.dtype))  # The Gumbel-max trick.


def greedy(logits: Float[Array, "*batch V"]) -> Int[Array, "*batch"]:
    """Return the id of the largest logit of each row (..., V), the smallest id among ties: int32 (...,).

    These two passes vectorize on the CPU, where XLA's argmax does not: measured 7 times as fast.
    """
    ids, V = jnp.arange(logits.shape[-1], dtype=jnp.int32), logits.shape[-1]
    less = logits < logits.max(axis=-1, keepdims=True)  # NaN is not less, so there is always an id.
    return jnp.where(less, V - 1, ids).min(axis=-1)


def threshold(probs: Float[Array, "*batch V"], enough: Callable[[Array], Array]) -> Float[Array, "*batch 1"]:
    """Return the largest t (..., 1) for which `enough(probs >= t)` (..., 1) holds in each row of probs (..., V), or 0.

    Bisects the bit patterns of t in float32, which sort as non-negative numbers do, up to the largest of `probs`.
    Sorting `probs` took ten times as long as the whole model.
    """

    def halve(bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = high - (high - low) // 2
        holds = enough(probs >= jax.lax.bitcast_convert_type(middle, jnp.float32))
        return jnp.where(holds, middle, low), jnp.where(holds, high, middle - 1)

    high = jax.lax.bitcast_convert_type(probs.max(axis=-1, keepdims=True), jnp.int32)
    low, _ = jax.lax.while_loop(lambda bounds: (bounds[0] < bounds[1]).any(), halve, (jnp.zeros_like(high), high))
    return jax.lax.bitcast_convert_type(low, jnp.float32)


class Greedy(Module):
    """The sampler that keeps the most probable token of each row, the smallest id among ties."""

    def __call__(self, logits: Float[Array, "*batch V"]) -> Float[Array, "*batch V"]:
        return jnp.where(jax.nn.one_hot(greedy(logits), logits.shape[-1], dtype=bool), logits, -jnp.inf)


class Warper(Module):
    """A sampler with one number: `warp(logits, number)`."""

    warp: Callable[[Array, Array | float], Array] = static()
    number: Array | float

    def __call__(self, logits: Float[Array, "*batch V"]) -> Float[Array, "*batch V"]:
        return self.warp(logits, self.number)


def temperature(t: float) -> Greedy | Warper:
    """Divide the logits by `t`; 0 is greedy. Ackley, Hinton and Sejnowski, "Boltzmann Machines", 1985.

    Raises ValueError if `t` is negative or not finite.
    """
    if not 0 <= t < float("inf"):
        raise ValueError(f"temperature {t} is not possible: give 0 for greedy decoding, or more, such as 0.8.")
    return Warper(_divide, float(t)) if t > 0 else Greedy()


def top_k(k: int) -> Warper:
    """Keep the `k` most probable tokens. Fan et al., arXiv 1805.04833. Raises ValueError if `k` is not 1, 2, 3, ..."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"top_k {k} keeps no token: give a whole number, 1 or more, such as 40.")
    return Warper(_top_k, min(k, 2**31 - 1))


def top_p(p: float) -> Warper:
    """Keep the fewest, most probable tokens that together have probability `p`. Holtzman et al., arXiv 1904.09751.

    Raises ValueError if `p` is outside (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(
            f"top_p {p} is not a share of the probability: give a number above 0 and up to 1, such as 0.95."
        )
    return Warper(_top_p, float(p))


def min_p(p: float) -> Warper:
    """Keep the tokens at least `p` times as probable as the most probable. Nguyen et al., arXiv 2407.01082.

    Raises ValueError if `p` is outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(
            f"min_p {p} is not a share of the highest probability: give a number from 0 to 1, such as 0.05."
        )
    return Warper(_min_p, float(p))


def _divide(logits: Array, t: Array | float) -> Array:
    shifted = logits - logits.max(axis=-1, keepdims=True)  # A tiny t then gives 0 and -inf, but never inf.
    return shifted / jnp.maximum(t, jnp.finfo(shifted.dtype).tiny)


def _top_k(logits: Array, k: Array | float) -> Array:
    probs = jax.nn.softmax(logits.astype(jnp.float32))
    cutoff = threshold(probs, lambda kept: kept.sum(axis=-1, keepdims=True) >= k)
    return jnp.where(probs >= cutoff, logits, -jnp.inf)


def _top_p(logits: Array, p: Array | float) -> Array:
    def enough(kept: Array) -> Array:
        total = jnp.where(kept, probs, 0).sum(axis=-1, keepdims=True)
        return (total >= p) & (p < 1)  # A rounded sum may reach 1 before the last token, or never.

    probs = jax.nn.softmax(logits.astype(jnp.float32))
    return jnp.where(probs >= threshold(probs, enough), logits, -jnp.inf)


def _min_p(logits: Array, p: Array | float) -> Array:
    return jnp.where(logits >= logits.max(axis=-1, keepdims=True) + jnp.log(p), logits, -jnp.inf)


def as_pytrees(samplers: Sequence[Sampler]) -> tuple[Sampler, ...]:
    """Wrap samplers that are plain functions, so that a compiled function takes all of them as arguments."""
    return tuple(jax.tree_util.Partial(s) if jax.tree_util.all_leaves([s]) else s for s in samplers)
