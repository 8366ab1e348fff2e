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
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

Array = jax.Array
Sampler = Callable[[Array], Array]
"""Logits (..., V) to logits: what is not to be drawn becomes -inf."""


def draw(key: Array, logits: Array, samplers: Sequence[Sampler] = ()) -> Array:
    """One token for each row of logits (..., V): int32 (...,)."""
    for i, sampler in enumerate(samplers):
        if _function(sampler) is _likeliest and all(_function(s) in _KEEP_ONE for s in samplers[i + 1 :]):
            return likeliest(logits)  # There is nothing left to draw, and no noise to make.
        logits = sampler(logits)
    return likeliest(logits + jax.random.gumbel(key, logits.shape, logits.dtype))


def as_pytrees(samplers: Sequence[Sampler]) -> tuple[Sampler, ...]:
    """The same samplers as arguments of a compiled function: of one's own, jit wants to know that it is a function."""
    return tuple(s if isinstance(s, Partial) else Partial(s) for s in samplers)


def likeliest(logits: Array) -> Array:
    """The id of the greatest logit of each row (..., V), the smallest where some tie: int32 (...,).

    Two passes that a processor's vectors do, where argmax takes one number at a time: measured 7 times as fast.
    """
    ids, V = jnp.arange(logits.shape[-1], dtype=jnp.int32), logits.shape[-1]
    less = logits < logits.max(axis=-1, keepdims=True)  # Not even NaN is less, so that an id is always found.
    return jnp.where(less, V - 1, ids).min(axis=-1)


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
    return _fewest(lambda kept: kept.sum(axis=-1) >= k, logits)


def _nucleus(p: Array, logits: Array) -> Array:
    probabilities = jax.nn.softmax(logits, axis=-1)
    # Rounded sums may reach 1 before the last token, or never.
    return _fewest(lambda kept: (jnp.where(kept, probabilities, 0).sum(axis=-1) >= p) & (p < 1), logits)


def _near_the_likeliest(p: Array, logits: Array) -> Array:
    return _only(logits >= logits.max(axis=-1, keepdims=True) + jnp.log(p), logits)


# After `temperature(0)` each of these keeps the one that is left.
_KEEP_ONE = (_divide, _likeliest, _first, _nucleus, _near_the_likeliest)


def _function(sampler: Sampler) -> Any:
    return sampler.func if isinstance(sampler, Partial) else sampler


def _only(kept: Array, logits: Array) -> Array:
    return jnp.where(kept, logits, -jnp.inf)


def _fewest(enough: Callable[[Array], Array], logits: Array) -> Array:
    """Only as many of the likeliest as `enough` asks for, of those that tie for the last place the smaller ids.

    `enough` judges which tokens are kept (..., V), row by row (...), and is as content with more; if it is never, all
    are kept. Nothing is sorted, which took ten times as long as the whole model: the last logit that is kept is found
    by bisection, and so is the last id among its ties.
    """
    ids, inf = jnp.arange(logits.shape[-1]), jnp.full(logits.shape[:-1], jnp.inf, logits.dtype)

    def number(rank: Array) -> Array:
        return _float(rank, logits.dtype)[..., None]

    last = number(_bisect(lambda i: enough(logits >= number(i)), _rank(-inf), _rank(inf)))
    above, tied = logits > last, logits == last
    first_tie, last_tie = jnp.where(tied, ids, ids[-1]).min(axis=-1), jnp.where(tied, ids, 0).max(axis=-1)
    too_few = _bisect(
        lambda i: ~enough(above | (tied & (ids <= i[..., None]))), first_tie - 1, last_tie - 1
    )  # the greatest id with which they are not enough
    return _only(above | (tied & (ids <= too_few[..., None] + 1)), logits)


def _bisect(holds: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Of the whole numbers from `low` to `high`, the greatest of those up to which `holds` is true, or else `low`."""

    def halve(bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = (low | high) - ((low ^ high) >> 1)  # their mean, rounded up; their sum would overflow
        held = holds(middle)
        return jnp.where(held, middle, low), jnp.where(held, high, middle - 1)

    return jax.lax.while_loop(lambda bounds: (bounds[0] < bounds[1]).any(), halve, (low, high))[0]


def _rank(x: Array) -> Array:
    """Whole numbers in the order of the floating-point numbers `x`, with none between those of neighbours."""
    bits = jax.lax.bitcast_convert_type(x, f"int{8 * x.dtype.itemsize}")
    return jnp.where(bits < 0, bits ^ jnp.iinfo(bits.dtype).max, bits)  # Of a negative one, the sign bit and size.


def _float(rank: Array, dtype: Any) -> Array:
    """The number of which this is the rank."""
    bits = jnp.where(rank < 0, rank ^ jnp.iinfo(rank.dtype).max, rank)
    return jax.lax.bitcast_convert_type(bits, dtype)
