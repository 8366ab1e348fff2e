"""Batches: pure functions of `(seed, step)`, compiled into the training step.

The tokens stay on the device, and windows are gathered from them there, so the host does no work between two steps.
Batches have no state: a run that resumes at step 500 gets the batches that it would have had without the stop.

Axes: N tokens, B batch, T time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from .._numbers import check_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Arrays = TypeVar("Arrays", bound=tuple)


def token_array(ids: Sequence[int] | np.ndarray, vocab_size: int) -> jax.Array:
    """Return token ids `(N,)` on the device: uint16 if the vocabulary fits (half the memory), else int32.

    Raises:
      TypeError: the ids are not whole numbers.
      ValueError: an id is outside `0..vocab_size - 1`; JAX would silently clamp it.
    """
    host, vocab_size = np.asarray(ids), check_whole("vocab_size", vocab_size)
    if host.size and host.dtype.kind not in "iu":
        raise TypeError(f"token ids are whole numbers, not {host.dtype}: give the ids that tokenizer.encode returns")
    if host.size and not 0 <= host.min() <= host.max() < vocab_size:
        raise ValueError(
            f"token ids run from {host.min()} to {host.max()}, but vocab_size is {vocab_size}: "
            "encode with the tokenizer whose vocab_size you give"
        )
    return jnp.asarray(host.astype(np.uint16 if vocab_size <= 2**16 else np.int32))


def step_key(seed: int, step: int | jax.Array) -> jax.Array:
    """Return the random key of one step. `step` may be traced."""
    return jax.random.fold_in(jax.random.key(seed), step)


def sample_batch(key: jax.Array, tokens: jax.Array, batch: int, context: int) -> tuple[jax.Array, jax.Array]:
    """Sample `batch` windows of `tokens` `(N,)`: inputs and next tokens, both int32 `(B, T)` with T = `context`.

    Its two parts are public for sharded runs: sample the starts from the same key everywhere, shard them like the
    batch, and gather on each device its own windows.

    Raises:
      ValueError: there are not more than `context` tokens.
    """
    return windows(tokens, sample_starts(key, tokens, batch, context), context)


def sample_starts(key: jax.Array, tokens: jax.Array, batch: int, context: int) -> jax.Array:
    """Sample the starts of the windows: int32 `(B,)`, uniform over all that leave room for `context` targets."""
    n, batch, context = _length(tokens), check_whole("batch", batch), check_whole("context", context)
    if n <= context:
        raise ValueError(
            f"context {context} needs at least {context + 1} tokens, but the data has {n}: "
            f"choose a context of at most {max(n - 1, 0)}, or give more text"
        )
    return jax.random.randint(key, (batch,), 0, n - context, jnp.int32)  # an explicit dtype, which x64 does not change


def windows(tokens: jax.Array, starts: jax.Array, context: int) -> tuple[jax.Array, jax.Array]:
    """Gather the windows that begin at `starts` `(B,)`: inputs and next tokens, both int32 `(B, T)`."""
    ids = tokens[starts[:, None] + jnp.arange(check_whole("context", context) + 1)].astype(jnp.int32)  # (B, T + 1)
    return ids[:, :-1], ids[:, 1:]


def evaluation_windows(tokens: jax.Array, batch: int, context: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Split `tokens` into batches for evaluation: inputs, targets and mask, each `(batches, B, T)`.

    Every token but the first is a target exactly once, in order. The mask is False on the padding at the end: weight
    the losses by it. Windows do not overlap, so early positions see little context: the usual, slightly pessimistic
    loss.

    Raises:
      ValueError: there are fewer than 2 tokens.
    """
    targets, batch, context = _length(tokens) - 1, check_whole("batch", batch), check_whole("context", context)
    if targets < 1:
        raise ValueError(f"evaluation needs at least 2 tokens, but the data has {targets + 1}: give more text")
    shape = (-(-targets // (batch * context)), batch, context)
    padded = np.zeros(np.prod(shape) + 1, np.int32)
    padded[: targets + 1] = tokens
    mask = np.arange(padded.size - 1) < targets
    x, y, mask = (jnp.asarray(a.reshape(shape)) for a in (padded[:-1], padded[1:], mask))
    return x, y, mask


def epochs(arrays: Arrays, batch: int, *, seed: int, count: int, start: int = 0) -> Iterator[Arrays]:
    """Yield shuffled minibatches of arrays that share their first axis, for `count` epochs.

    The order within an epoch is a function of `(seed, epoch)`; the first `start` minibatches are skipped, to resume. An
    epoch drops the rows that do not fill its last minibatch, so all shapes are equal and nothing compiles twice.

    Raises:
      ValueError: the first axes differ, or `batch` is larger than they are.
    """
    numbers = {"batch": batch, "count": count, "start": start, "seed": seed}
    batch, count, start, seed = (check_whole(name, number, 0) for name, number in numbers.items())
    sizes = [len(a) for a in arrays]
    if len(set(sizes)) != 1:
        raise ValueError(f"the arrays have {sizes} rows: give arrays with the same first axis")
    if not 0 < batch <= sizes[0]:
        raise ValueError(
            f"batch {batch} cannot be filled from {sizes[0]} rows: choose a batch between 1 and {sizes[0]}"
        )
    return _minibatches(arrays, batch, seed, range(start, count * (sizes[0] // batch)))


def _minibatches(arrays: Arrays, batch: int, seed: int, steps: range) -> Iterator[Arrays]:
    size = len(arrays[0])
    order, shuffled = np.arange(size), -1
    for step in steps:
        epoch, i = divmod(step, size // batch)
        if epoch != shuffled:
            order, shuffled = np.random.default_rng((seed, epoch)).permutation(size), epoch
        rows = order[i * batch : (i + 1) * batch]
        yield tuple(a[rows] for a in arrays)  # pyright: ignore[reportReturnType]


def _length(tokens: jax.Array) -> int:
    if tokens.ndim != 1:
        raise ValueError(f"tokens have shape {tokens.shape}: give one long sequence of ids, shape (N,)")
    return tokens.shape[0]
