"""How good is a model on text that it has not seen? The mean loss, and the same in units that people compare."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from .. import nn, ops
from ..data import evaluation_windows, token_array
from ..text import Tokenizer
from .step import device_mesh


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The loss over a text, and the length of what was predicted: all of the text but its first token."""

    loss: float  # nats per token
    tokens: int
    characters: int
    bytes: int

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the model is as unsure: exp(loss)."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_character(self) -> float:
        """As `bits_per_byte`, for each character: they compare on one text only."""
        return self.loss * self.tokens / math.log(2) / max(self.characters, 1)

    @property
    def bits_per_byte(self) -> float:
        """What a compressor built on the model would need. Unlike the loss, it compares models across tokenizers."""
        return self.loss * self.tokens / math.log(2) / max(self.bytes, 1)


def evaluate(model: Any, tokenizer: Tokenizer, text: str, batch: int, dtype: Any = jnp.float32) -> Evaluation:
    """Evaluate a model on `text`, in windows of its context.

    Raises:
      ValueError: the text is shorter than two tokens, or the tokenizer cannot encode it.
    """
    ids = token_array(tokenizer.encode(text), tokenizer.vocab_size)
    return describe(mean_loss(model, ids, batch, dtype=dtype), tokenizer, ids)


def describe(loss: float, tokenizer: Tokenizer, ids: jax.Array) -> Evaluation:
    """The mean `loss` over all of `ids` (N,) but the first, with the lengths that turn it into other units."""
    predicted = tokenizer.decode_bytes(np.asarray(ids[1:]))
    return Evaluation(loss, ids.size - 1, len(predicted.decode(errors="replace")), len(predicted))


def mean_loss(
    model: Any,
    tokens: jax.Array,
    batch: int,
    *,
    dtype: Any = jnp.float32,
    mesh: Mesh | None = None,
    at_most: int | None = None,
) -> float:
    """Mean loss of `model` in nats over every token of `tokens` (N,) but the first, over all devices.

    `at_most` makes it an estimate, from windows spread evenly over the text that hold about so many tokens: always the
    same ones, so that the losses of two moments of a run compare. Compiled once for each model, batch and context.
    """
    mesh = mesh or device_mesh(batch)
    windows = evaluation_windows(tokens, batch, model.config.context)  # (windows, B, T) each
    chosen = _spread(len(windows[0]), batch * model.config.context, at_most)
    model, windows = jax.device_put((model, windows), NamedSharding(mesh, P()))
    sums = [_losses_and_counts(model, windows, i, mesh, jnp.dtype(dtype)) for i in chosen]
    losses, counts = (np.sum(jax.device_get(part), dtype=np.float64) for part in zip(*sums, strict=True))
    return float(losses / counts)


def _spread(windows: int, size: int, at_most: int | None) -> list[int]:
    """Which of so many windows of `size` tokens to look at."""
    wanted = windows if at_most is None else min(windows, -(-at_most // size))
    return np.linspace(0, windows - 1, wanted).round().astype(int).tolist()


@functools.partial(jax.jit, static_argnums=(3, 4))
def _losses_and_counts(model: Any, windows: Any, i: Any, mesh: Mesh, dtype: Any) -> tuple[Any, Any]:
    """The summed loss of the tokens in window `i`, and their number, of each device: (devices,) both.

    The devices do not add up among themselves. Of several calls under way, one CPU device may be in one and the second
    in another, and would wait for each other for ever.
    """

    def on_one_device(model: Any, inputs: Any, targets: Any, mask: Any) -> Any:
        losses = ops.cross_entropy(nn.cast(model, dtype)(inputs), targets)  # (B, T)
        return jnp.sum(jnp.where(mask, losses, 0))[None], jnp.sum(mask)[None]

    batch, rows = [array[i] for array in windows], P("data")
    return jax.shard_map(on_one_device, mesh=mesh, in_specs=(P(), rows, rows, rows), out_specs=rows)(model, *batch)
