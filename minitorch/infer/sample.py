"""Samplers: how the next token is chosen from logits.

    samplers = [temperature(0.8), top_p(0.95)]
    token = sample(key, logits, samplers)  # (...,)

A sampler is a function of logits (..., V) that sets the logits of excluded tokens to -inf; tokens that tie at the
border all stay. Samplers apply in order, usually the temperature first. Those of this file are modules, and their
number is a leaf, so another temperature compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Float, Int

from .._numbers import check_real, check_whole
from .._types import Array, Key
from ..nn import Module, static
from ..nn.init import check_key

Sampler = Callable[[Array], Array]
"""Logits (..., V) to logits (..., V)."""


def sample(key: Key, logits: Float[Array, "*batch V"], samplers: Sequence[Sampler] = ()) -> Int[Array, "*batch"]:
    """Sample one token for each row of logits (..., V): int32 (...,). Inside `jax.jit`, -1 stands for the error.

    Raises:
      FloatingPointError: a row has NaN, +inf or nothing but -inf, before or after the samplers.
      ValueError: a sampler returns another shape.
    """
    check_key(key)
    given = logits
    for i, sampler in enumerate(samplers := as_pytrees(samplers)):
        if all(isinstance(s, Warper) for s in samplers[i:]) and getattr(sampler, "warp", None) is _only_largest:
            return _checked(argmax(logits), given, logits)  # The samplers that follow keep the only token: no noise.
        logits = sampler(logits)
        if jnp.shape(logits) != given.shape:
            raise ValueError(
                f"samplers[{i}] made {jnp.shape(logits)} of logits {given.shape}: exclude tokens with -inf instead."
            )
    noise = jax.random.gumbel(key, logits.shape, logits.dtype)  # The Gumbel-max trick.
    return _checked(argmax(logits + noise), given, logits)


def greedy(logits: Float[Array, "*batch V"]) -> Int[Array, "*batch"]:
    """Return the id of the largest logit of each row, the smallest id among ties: int32 (...,). Fails as `sample`."""
    return _checked(argmax(logits), logits)


def argmax(logits: Array) -> Array:
    """Return the first index of the largest number of each row (..., V), without a check: int32 (...,).

    These two passes vectorize on the CPU, where XLA's argmax does not: measured 7 times as fast.
    """
    ids, V = jnp.arange(logits.shape[-1], dtype=jnp.int32), logits.shape[-1]
    return jnp.where(logits < logits.max(axis=-1, keepdims=True), V - 1, ids).min(axis=-1)


def _checked(tokens: Array, *logits: Array) -> Array:
    """Return `tokens` (...,), or -1 where a row of one of the `logits` (..., V) has no finite largest number."""
    for rows in logits:
        tokens = jnp.where(jnp.isfinite(rows.max(axis=-1)), tokens, -1)
    if not isinstance(tokens, Tracer) and (tokens < 0).any():
        raise FloatingPointError(
            "a token cannot be sampled from logits with NaN or +inf, or without a finite one: look for the layer whose"
            " output is not finite, or a sampler that excludes every token."
        )
    return tokens


def threshold(numbers: Float[Array, "*batch V"], enough: Callable[[Array], Array]) -> Float[Array, "*batch 1"]:
    """Return the largest t (..., 1) for which `enough(numbers >= t)` (..., 1) holds, or the smallest number of the row.

    Bisects the bit patterns of float32, in the order of the numbers, between the smallest and largest of each row
    (..., V). Sorting took ten times as long as the whole model.
    """

    def halve(bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = (low | high) - ((low ^ high) >> 1)  # The mean, rounded up; the sum could overflow.
        holds = enough(order >= middle)
        return jnp.where(holds, middle, low), jnp.where(holds, high, middle - 1)

    def flip(bits: Array) -> Array:
        return bits ^ ((bits >> 31) & 0x7FFFFFFF)  # Negative numbers sort backwards. This is its own inverse.

    order = flip(jax.lax.bitcast_convert_type(numbers.astype(jnp.float32) + 0.0, jnp.int32))  # -0.0 + 0.0 is 0.0.
    bounds = order.min(axis=-1, keepdims=True), order.max(axis=-1, keepdims=True)
    low, _ = jax.lax.while_loop(lambda bounds: (bounds[0] < bounds[1]).any(), halve, bounds)
    return jax.lax.bitcast_convert_type(flip(low), jnp.float32)


class Warper(Module):
    """A sampler with one number: `warp(logits, number)`."""

    warp: Callable[[Array, Any], Array] = static()
    number: Array | float

    def __call__(self, logits: Float[Array, "*batch V"]) -> Float[Array, "*batch V"]:
        return self.warp(logits, self.number)


def temperature(t: float) -> Warper:
    """Divide the logits by `t`; 0 is greedy. Ackley, Hinton and Sejnowski, "Boltzmann Machines", 1985.

    Raises ValueError if `t` is negative or not finite.
    """
    t = check_real("temperature", t, lambda t: 0 <= t < float("inf"), "0 for greedy decoding, or more, such as 0.8")
    return Warper(_divide if t else _only_largest, min(float(t), 3e38))  # Larger ones would overflow float32.


def top_k(k: int) -> Warper:
    """Keep the `k` most probable tokens. Fan et al., arXiv 1805.04833. Raises ValueError if `k` is not 1, 2, 3, ..."""
    return Warper(_top_k, min(check_whole("top_k", k), 2**31 - 1))


def top_p(p: float) -> Warper:
    """Keep the fewest, most probable tokens that together have probability `p`. Holtzman et al., arXiv 1904.09751.

    Raises ValueError if `p` is outside (0, 1].
    """
    return Warper(_top_p, float(check_real("top_p", p, lambda p: 0 < p <= 1, "above 0 and up to 1, such as 0.95")))


def min_p(p: float) -> Warper:
    """Keep the tokens at least `p` times as probable as the most probable. Nguyen et al., arXiv 2407.01082.

    Raises ValueError if `p` is outside [0, 1].
    """
    return Warper(_min_p, float(check_real("min_p", p, lambda p: 0 <= p <= 1, "from 0 to 1, such as 0.05")))


def _only_largest(logits: Array, _: Any) -> Array:
    return jnp.where(jax.nn.one_hot(argmax(logits), logits.shape[-1], dtype=bool), logits, -jnp.inf)


def _divide(logits: Array, t: Any) -> Array:
    shifted = logits - logits.max(axis=-1, keepdims=True)  # A tiny t then gives 0 and -inf, but never inf.
    tiny = jnp.finfo(shifted.dtype).tiny  # Beyond 1 / tiny, XLA would multiply by a reciprocal that rounds to 0.
    return shifted / jnp.clip(jnp.asarray(t), tiny, 1 / tiny).astype(shifted.dtype)


def _top_k(logits: Array, k: Any) -> Array:
    cutoff = threshold(logits, lambda kept: kept.sum(axis=-1, keepdims=True) >= k)
    return jnp.where(logits >= cutoff, logits, -jnp.inf)


def _top_p(logits: Array, p: Any) -> Array:
    def enough(kept: Array) -> Array:
        total = jnp.where(kept, probs, 0).sum(axis=-1, keepdims=True)
        return (total >= p) & (p < 1)  # A rounded sum may reach 1 before the last token, or never.

    probs = jax.nn.softmax(logits.astype(jnp.float32))
    return jnp.where(logits >= threshold(logits, enough), logits, -jnp.inf)


def _min_p(logits: Array, p: Any) -> Array:
    floats = logits.astype(jnp.float32)
    return jnp.where(floats >= floats.max(axis=-1, keepdims=True) + jnp.log(p), logits, -jnp.inf)


def as_pytrees(samplers: Sequence[Sampler]) -> tuple[Sampler, ...]:
    """Wrap samplers that are plain functions, so that a compiled function takes all of them as arguments.

    Raises TypeError if they are not a list of functions.
    """
    if not isinstance(samplers, Sequence) or not all(map(callable, samplers)):
        raise TypeError(f"samplers must be a list of functions, such as [temperature(0.8)], and is {samplers!r}.")
    return tuple(jax.tree_util.Partial(s) if jax.tree_util.all_leaves([s]) else s for s in samplers)
