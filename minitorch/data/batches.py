"""How a batch is drawn: a pure function of `(seed, step)`, compiled into the training step.

The token corpus sits on the device, and windows are gathered from it there, so no host work stands between two steps.
Nothing is remembered between batches: a run that resumes at step 500 sees what it would have seen without the stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

Arrays = TypeVar("Arrays", bound=tuple)


def token_array(ids: Sequence[int] | np.ndarray, vocab_size: int) -> jax.Array:
    """Token ids on the device, `(N,)`: uint16 when the vocabulary fits (half the memory), else int32.

    Raises ValueError if an id is outside `0..vocab_size - 1`; JAX would clamp it in silence.
    """
    host = np.asarray(ids, dtype=np.int64)
    if host.size and not 0 <= host.min() <= host.max() < vocab_size:
        raise ValueError(
            f"token ids run from {host.min()} to {host.max()}, but vocab_size is {vocab_size}: "
            "encode with the tokenizer whose vocab_size you give"
        )
    return jnp.asarray(host.astype(np.uint16 if vocab_size <= 2**16 else np.int32))


def step_key(seed: int, step: int | jax.Array) -> jax.Array:
    """The random key of one step. `step` may be traced."""
    return jax.random.fold_in(jax.random.key(seed), step)


def sample_batch(key: jax.Array, tokens: jax.Array, batch: int, context: int) -> tuple[jax.Array, jax.Array]:
    """`batch` random windows of `tokens` `(N,)`: inputs and the next tokens, both int32 `(B, T)`, with T = `context`.

    The two steps are public because a sharded run takes them apart: draw the starts once, from the same key everywhere,
    shard them like the batch, and let each device cut its own windows. Raises ValueError if the data is too short.
    """
    return windows(tokens, sample_starts(key, tokens, batch, context), context)


def sample_starts(key: jax.Array, tokens: jax.Array, batch: int, context: int) -> jax.Array:
    """Where the windows of a batch start: int32 `(B,)`, every place from which `context` targets follow alike."""
    n = _length(tokens)
    if n <= context:
        raise ValueError(
            f"context {context} needs at least {context + 1} tokens, but the data holds {n}: "
            f"choose a context of at most {max(n - 1, 0)}, or give more text"
        )
    return jax.random.randint(key, (batch,), 0, n - context, jnp.int32)  # a dtype of its own: x64 must not change it


def windows(tokens: jax.Array, starts: jax.Array, context: int) -> tuple[jax.Array, jax.Array]:
    """Inputs and next tokens, int32 `(B, T)`, of the windows that begin at `starts` `(B,)`."""
    cut = tokens[starts[:, None] + jnp.arange(context + 1)].astype(jnp.int32)  # (B, T + 1)
    return cut[:, :-1], cut[:, 1:]


def evaluation_windows(tokens: jax.Array, batch: int, context: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Every token but the first as a target exactly once, in order: inputs, targets, mask, each `(windows, B, T)`.

    The end is padded with zeros where `mask` is False; weigh the losses by it. Loop over the first axis with `for` or
    `jax.lax.scan`. Windows do not overlap, so early positions see little context: the usual, slightly pessimistic loss.
    """
    targets = _length(tokens) - 1
    if targets < 1:
        raise ValueError(f"evaluation needs at least 2 tokens, but the data holds {targets + 1}: give more text")
    shape = (-(-targets // (batch * context)), batch, context)
    padded = np.zeros(np.prod(shape) + 1, np.int32)
    padded[: targets + 1] = tokens
    mask = np.arange(padded.size - 1) < targets
    x, y, mask = (jnp.asarray(a.reshape(shape)) for a in (padded[:-1], padded[1:], mask))
    return x, y, mask


def epochs(arrays: Arrays, batch: int, *, seed: int, count: int, start: int = 0) -> Iterator[Arrays]:
    """Shuffled minibatches of arrays that share their first axis, for `count` epochs.

    The order within an epoch is a function of `(seed, epoch)`; `start` minibatches are skipped, to resume. Rows that do
    not fill a last minibatch wait for another epoch, so every shape is the same and nothing compiles twice.
    """
    sizes = [len(a) for a in arrays]
    if len(set(sizes)) != 1:
        raise ValueError(f"the arrays hold {sizes} rows: give arrays with the same first axis")
    if not 0 < batch <= sizes[0]:
        raise ValueError(f"batch {batch} cannot be drawn from {sizes[0]} rows: choose a batch between 1 and {sizes[0]}")
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
