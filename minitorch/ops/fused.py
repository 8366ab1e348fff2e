"""The operations in which a transformer spends its time, with rules derived by hand.

Each could be composed of smaller primitives, and a test keeps it equal to that slow twin. The rule by hand is shorter
than the chain rule through every step, reads fewer arrays, and XLA fuses it into one or two loops. A rule recomputes
what the forward pass had (a softmax, a mean) with the same operations on the same values, so that XLA merges the two
inside `jax.jit`, and nothing has to be stored here.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Integer

from .._types import Array
from ..autodiff import primitive
from ..autodiff.tape import unwrap
from .elementwise import erf, exp, rsqrt, sigmoid, square, tanh, where
from .indexing import widened
from .linalg import einsum
from .reduce import mean
from .shapes import concatenate, expand_dims, reshape, sum, transpose, unbroadcast


def _softmax_rule(g: Any, y: Any, x: Any, axis: int) -> Any:
    return y * (g - sum(g * y, axis, keepdims=True))


@primitive(_softmax_rule)
def softmax(x: Float[Array, "*shape"], axis: int = -1) -> Float[Array, "*shape"]:
    """Return exp(x) / sum(exp(x)) along `axis`; as `jax.nn.softmax`."""
    return jax.nn.softmax(x, axis)


def _log_softmax_rule(g: Any, y: Any, x: Any, axis: int) -> Any:
    return g - exp(y) * sum(g, axis, keepdims=True)


@primitive(_log_softmax_rule)
def log_softmax(x: Float[Array, "*shape"], axis: int = -1) -> Float[Array, "*shape"]:
    """Return x - log(sum(exp(x))) along `axis`; as `jax.nn.log_softmax`."""
    return jax.nn.log_softmax(x, axis)


def _cross_entropy_rule(g: Any, y: Any, logits: Any, targets: Any) -> Any:
    return expand_dims(g, -1) * (softmax(logits) - _is_target(logits, targets).astype(logits.dtype))


@primitive(_cross_entropy_rule)
def cross_entropy(logits: Float[Array, "*batch V"], targets: Integer[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return -log softmax(logits)[target], in nats; NaN for a target outside of [0, V).

    The cotangent of the logits is (probability - 1 at the target), so the log-probabilities are never stored.

    Raises:
      ValueError: the shapes do not fit.
      TypeError: the targets are not integers.
    """
    check_targets("cross_entropy", logits, targets)
    shifted = logits - jax.lax.stop_gradient(jnp.max(logits, axis=-1, keepdims=True))
    # A masked sum, unlike a gather, fuses with the sum of exponentials into one pass over the logits. A product with
    # the mask would be NaN where a class has no probability: 0 x -inf.
    at_target = jnp.sum(jnp.where(_is_target(logits, targets), shifted, 0), axis=-1)
    return jnp.log(jnp.sum(jnp.exp(shifted), axis=-1)) - at_target + nan_outside(targets, logits.shape[-1])


def _is_target(logits: Any, targets: Any) -> Any:
    """Return True at the target and False elsewhere, (..., V)."""
    return jnp.asarray(targets)[..., None] == jnp.arange(logits.shape[-1])


def nan_outside(targets: Any, classes: int) -> Any:
    """Return NaN for each target outside of [0, classes), and 0 for the others."""
    targets = widened(jnp.asarray(targets))
    return jnp.where((targets >= 0) & (targets < classes), 0, jnp.nan)


def check_targets(name: str, logits: Any, targets: Any) -> None:
    """Raise ValueError or TypeError if `targets` are not one class number for each row of logits."""
    targets = jnp.asarray(unwrap(targets))
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"{name} needs logits (..., V) and targets (...), but got logits {tuple(logits.shape)} and targets"
            f" {targets.shape}: one target, a class number and not a one-hot row, for each row of logits."
        )
    if not jnp.issubdtype(targets.dtype, jnp.integer):
        raise TypeError(f"{name} needs integer targets (class numbers), but their dtype is {targets.dtype}.")


def _normalized(x: Any, epsilon: float) -> tuple[Any, Any]:
    """Return (x - mean) / deviation over the last axis, and 1 / deviation."""
    centered = x - mean(x, -1, keepdims=True)
    inverse = rsqrt(mean(square(centered), -1, keepdims=True) + epsilon)
    return centered * inverse, inverse


def _layer_norm_rule_x(g: Any, y: Any, x: Any, scale: Any, bias: Any, epsilon: float) -> Any:
    normal, inverse = _normalized(x, epsilon)
    g = g * scale
    return inverse * (g - mean(g, -1, keepdims=True) - normal * mean(g * normal, -1, keepdims=True))


def _layer_norm_rule_scale(g: Any, y: Any, x: Any, scale: Any, bias: Any, epsilon: float) -> Any:
    return unbroadcast(g * _normalized(x, epsilon)[0], scale)


@primitive(_layer_norm_rule_x, _layer_norm_rule_scale, lambda g, y, x, scale, bias, epsilon: unbroadcast(g, bias))
def layer_norm(
    x: Float[Array, "*batch D"],
    scale: Float[Array, " D"],
    bias: Float[Array, " D"] | None = None,
    epsilon: float = 1e-5,
) -> Float[Array, "*batch D"]:
    """Return (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axis.

    Source: Ba, Kiros and Hinton, arXiv 1607.06450.
    """
    y = _normalized(x, epsilon)[0] * scale
    return y if bias is None else y + bias


def _rms_norm_rule_x(g: Any, y: Any, x: Any, scale: Any, epsilon: float) -> Any:
    inverse = _inverse_rms(x, epsilon)
    g, normal = g * scale, x * inverse
    return inverse * (g - normal * mean(g * normal, -1, keepdims=True))


def _rms_norm_rule_scale(g: Any, y: Any, x: Any, scale: Any, epsilon: float) -> Any:
    return unbroadcast(g * (x * _inverse_rms(x, epsilon)), scale)


@primitive(_rms_norm_rule_x, _rms_norm_rule_scale)
def rms_norm(x: Float[Array, "*batch D"], scale: Float[Array, " D"], epsilon: float = 1e-6) -> Float[Array, "*batch D"]:
    """Return x / sqrt(mean(x^2) + epsilon) * scale over the last axis.

    Source: Zhang and Sennrich, arXiv 1910.07467.
    """
    return x * _inverse_rms(x, epsilon) * scale


def _inverse_rms(x: Any, epsilon: float) -> Any:
    return rsqrt(mean(square(x), -1, keepdims=True) + epsilon)


_GELU_INNER = math.sqrt(2 / math.pi)


def _gelu_rule(g: Any, y: Any, x: Any, approximate: bool) -> Any:
    if not approximate:
        return g * (0.5 * (1 + erf(x * math.sqrt(0.5))) + x * exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)))
    t = tanh(_GELU_INNER * (x + 0.044715 * (x * x * x)))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_GELU_INNER * (1 + 3 * 0.044715 * (x * x))))


@primitive(_gelu_rule)
def gelu(x: Float[Array, "*shape"], approximate: bool = True) -> Float[Array, "*shape"]:
    """Return x times the normal distribution function of x, by default in its tanh approximation; as `jax.nn.gelu`.

    Source: Hendrycks and Gimpel, arXiv 1606.08415.
    """
    return jax.nn.gelu(x, approximate)


def _silu_rule(g: Any, y: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s + y * (1 - s))


@primitive(_silu_rule)
def silu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return x * sigmoid(x), as `jax.nn.silu`. Source: Hendrycks and Gimpel, arXiv 1606.08415."""
    return jax.nn.silu(x)


# Attention. A (T, S) table of weights for each head is the largest array of a transformer, so every pass over it
# counts. Scales are applied to the queries, which are smaller. A product that needs the table transposed takes it as
# its second operand: XLA reads that as it is stored, and transposes the small first operand. Heads come before time
# everywhere, because a batched product on a CPU needs its batch axes in front: the inputs are transposed once.


def _attention_weights(q: Any, k: Any, mask: Any, is_causal: bool) -> Any:
    """Return softmax(q k^T) of scaled queries (B, K, H/K, T, d) and keys (B, K, S, d): (B, K, H/K, T, S)."""
    scores = einsum("bkgtd,bksd->bkgts", q, k)  # (B, K, H/K, T, S)
    return softmax(_masked(scores, mask, is_causal, jnp.finfo(scores.dtype).min))


def _masked(scores: Any, mask: Any, is_causal: bool, value: Any) -> Any:
    """Return scores (..., T, S) with `value` where the query may not attend to the key."""
    T, S = scores.shape[-2:]
    if is_causal:
        causal = jnp.arange(T)[:, None] + (S - T) >= jnp.arange(S)  # (T, S)
        mask = causal if mask is None else mask & causal
    return scores if mask is None else where(mask, scores, value)


def _attention_rule(g: Any, y: Any, q: Any, k: Any, v: Any, mask: Any, is_causal: bool) -> tuple[Any, ...]:
    weights = _attention_weights(q, k, mask, is_causal)  # (B, K, H/K, T, S)
    # sum over S of weights x their cotangents = sum over d of y x g: d numbers instead of S.
    g_scores = weights * (einsum("bkgtd,bksd->bkgts", g, v) - sum(g * y, -1, keepdims=True))  # (B, K, H/K, T, S)
    if mask is not None or q.shape[3] > k.shape[2]:  # A query may see nothing. Other masked scores have weight 0.
        g_scores = _masked(g_scores, mask, is_causal, 0)
    g_q = einsum("bkgts,bksd->bkgtd", g_scores, k)  # (B, K, H/K, T, d)
    return g_q, einsum("bkgtd,bkgts->bksd", q, g_scores), einsum("bkgtd,bkgts->bksd", g, weights)


@primitive(joint=_attention_rule, arrays=3)
def _attention(q: Any, k: Any, v: Any, mask: Any, is_causal: bool) -> Any:
    """Return softmax(q k^T) v of scaled queries (B, K, H/K, T, d), and k and v (B, K, S, d): (B, K, H/K, T, d)."""
    return einsum("bkgts,bksd->bkgtd", _attention_weights(q, k, mask, is_causal), v)


def attention(
    q: Float[Array, "B T H d"],
    k: Float[Array, "B S K d"],
    v: Float[Array, "B S K d"],
    mask: Bool[Array, "*#BHTS"] | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Float[Array, "B T H d"]:
    """Return softmax(q k^T * scale) v for each head.

    Args:
      q: queries. H is a multiple of K: each key head serves H / K query heads (grouped-query attention, arXiv
        2305.13245).
      k: keys.
      v: values.
      mask: True where a query may attend to a key; broadcasts to (B, H, T, S). A query that may attend to no key gets
        the mean of all values, as in `jax.nn.dot_product_attention`.
      is_causal: whether query t attends only to keys up to t + S - T.
      scale: the factor of the scores, by default 1 / sqrt(d).

    Raises:
      ValueError: the shapes do not fit, or the mask is not boolean.

    Source: Vaswani et al., arXiv 1706.03762.
    """
    if not (
        q.ndim == k.ndim == 4
        and k.shape == v.shape
        and (q.shape[0], q.shape[3]) == (k.shape[0], k.shape[3])
        and q.shape[2] % k.shape[2] == 0
    ):
        raise ValueError(
            "attention needs q (B, T, H, d) and k, v (B, S, K, d), with H a multiple of K;"
            f" got q {q.shape}, k {k.shape}, v {v.shape}."
        )
    (B, T, H, d), (_, S, K, _) = q.shape, k.shape
    mask = None if mask is None else _grouped_mask(mask, (B, H, T, S), K)
    q = q * (1 / math.sqrt(d) if scale is None else scale)
    q = transpose(reshape(q, (B, T, K, H // K, d)), (0, 2, 3, 1, 4))  # (B, K, H/K, T, d)
    k, v = transpose(k, (0, 2, 1, 3)), transpose(v, (0, 2, 1, 3))  # (B, K, S, d)
    if is_causal and mask is None and S == T >= 4 * SHORT:
        # Four blocks of queries, each with the keys up to its end only: 3/8 of a causal table would be masked work.
        ends = [T * i // 4 for i in range(5)]
        blocks = [_attention(q[:, :, :, a:b], k[:, :, :b], v[:, :, :b], None, True) for a, b in pairwise(ends)]
        y = concatenate(blocks, 3)  # (B, K, H/K, T, d)
    else:
        y = _attention(q, k, v, mask, is_causal)  # (B, K, H/K, T, d)
    return reshape(transpose(y, (0, 3, 1, 2, 4)), (B, T, H, d))


def _grouped_mask(mask: Any, shape: tuple[int, ...], K: int) -> Any:
    """Return a mask that broadcasts to shape (B, H, T, S) as one that broadcasts to (B, K, H/K, T, S)."""
    mask = jnp.asarray(unwrap(mask))
    if mask.dtype != bool:
        raise ValueError(
            f"attention needs a boolean mask, True where a query may attend to a key, but its dtype is {mask.dtype}:"
            " write mask.astype(bool) if it is 1 there, and mask == 0 if it is 0 there and -inf elsewhere."
        )
    given, mask = mask.shape, jnp.expand_dims(mask, tuple(range(4 - mask.ndim)))
    if mask.ndim > 4 or any(n not in (1, size) for n, size in zip(mask.shape, shape, strict=True)):
        raise ValueError(
            f"attention needs a mask that broadcasts to (B, H, T, S) = {shape}, but its shape is {given}:"
            " give one of shape (T, S) for all, or (B, 1, T, S) for each row of the batch."
        )
    B, H, *table = mask.shape
    return jnp.reshape(mask, (B, *((K, H // K) if H > 1 else (1, 1)), *table))


SHORT = 64  # queries; a smaller block would not repay its overhead
