"""How is the next token chosen? A sampler is a small pure function of logits (..., V); several are applied in turn.

    samplers = [temperature(0.8), top_p(0.95)]
    token = draw(key, logits, samplers)   # (...,)

A sampler that rules a token out gives it the logit -inf. Where two tokens tie for the last place, the smaller id gets
it, as with argmax. The usual order is temperature first: the others then judge the probabilities that tokens are drawn
with.

Each sampler is a pytree of its number, so a new temperature compiles nothing anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

Array = jax.Array
Sampler = Callable[[Array], Array]


def draw(key: Array, logits: Array, samplers: Sequence[Sampler] = ()) -> Array:
    """One token for each row of logits (..., V): int32 (...,)."""
    for sampler in samplers:
        logits = sampler(logits)
    return jax.random.categorical(key, logits).astype(jnp.int32)


def temperature(t: float) -> Sampler:
    """Logits over `t`: below 1 the likely become likelier, above 1 all more alike; 0 takes the likeliest, always.

    Ackley, Hinton and Sejnowski, "A Learning Algorithm for Boltzmann Machines", 1985.

    Raises:
      ValueError: `t` is negative or not finite.
    """
    if not 0 <= t < float("inf"):
        raise ValueError(
            f"temperature {t} is not possible: give 0 for the likeliest token each time, or more, such as 0.8."
        )
    return Partial(_divide, float(t)) if t > 0 else Partial(_likeliest)


def top_k(k: int) -> Sampler:
    """Only the `k` likeliest tokens (Fan et al., arXiv 1805.04833); all of them if `k` is V or more.

    Raises:
      ValueError: `k` is no whole number from 1 up.
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"top_k {k} keeps no token: give a whole number, 1 or more, such as 40.")
    return Partial(_first, min(k, 2**31 - 1))


def top_p(p: float) -> Sampler:
    """Only the fewest tokens that have probability `p` together (Holtzman et al., arXiv 1904.09751); 1 keeps all.

    Raises:
      ValueError: `p` is outside (0, 1].
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p {p} is no share of the probability: give a number above 0 and up to 1, such as 0.95.")
    return Partial(_nucleus, max(float(p), 1e-30))  # In float32 a much smaller one would be 0.


def min_p(p: float) -> Sampler:
    """Only tokens at least `p` times as likely as the likeliest (Nguyen et al., arXiv 2407.01082); 0 keeps all.

    Raises:
      ValueError: `p` is outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p {p} is no share of the highest probability: give a number from 0 to 1, such as 0.05.")
    return Partial(_near_the_likeliest, float(p))


def _divide(t: Array, logits: Array) -> Array:
    below = logits - logits.max(axis=-1, keepdims=True)  # So that a tiny t leads to 0 and -inf, never to inf.
    return below / jnp.maximum(t, jnp.finfo(below.dtype).tiny)


def _likeliest(logits: Array) -> Array:
    return _only(jax.nn.one_hot(logits.argmax(axis=-1), logits.shape[-1], dtype=bool), logits)


def _first(k: Array, logits: Array) -> Array:
    return _only(_ranks(logits) < k, logits)


def _nucleus(p: Array, logits: Array) -> Array:
    order = _order(logits)
    probabilities = jax.nn.softmax(jnp.take_along_axis(logits, order, axis=-1), axis=-1)
    before = jnp.cumsum(probabilities, axis=-1) - probabilities  # what the likelier ones have together
    kept = (before < p) | (p >= 1)  # Rounded sums may reach 1 before the last token.
    return _only(jnp.take_along_axis(kept, _ranks(logits), axis=-1), logits)


def _near_the_likeliest(p: Array, logits: Array) -> Array:
    return _only(logits >= logits.max(axis=-1, keepdims=True) + jnp.log(p), logits)


def _only(kept: Array, logits: Array) -> Array:
    return jnp.where(kept, logits, -jnp.inf)


def _order(logits: Array) -> Array:
    """Ids from the likeliest to the least likely, smaller ids first where they tie."""
    return jnp.argsort(logits, axis=-1, stable=True, descending=True)


def _ranks(logits: Array) -> Array:
    """The place of each id in that order."""
    return jnp.argsort(_order(logits), axis=-1)
