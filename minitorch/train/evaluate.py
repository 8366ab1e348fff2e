"""Evaluation of a model on text that it has not seen: the mean loss, and the same in comparable units."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from .. import nn, ops
from ..data import Corpus, evaluation_windows, token_array
from ..data.corpus import SEPARATOR
from ..nn.hooks import first_nonfinite_output
from ..text import END_OF_TEXT
from .layout import device_mesh
from .prepare import encode_corpus

if TYPE_CHECKING:
    from ..models import LanguageModel
    from ..text import Tokenizer


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The mean loss over a text, and the length of the predicted part: all of the text except its first token."""

    loss: float  # nats per token
    tokens: int
    characters: int
    bytes: int

    @property
    def perplexity(self) -> float:
        """exp(loss): the number of equally likely tokens among which the model would be as uncertain."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_character(self) -> float:
        """Bits per character, which compare models on the same text only."""
        return self.loss * self.tokens / math.log(2) / max(self.characters, 1)

    @property
    def bits_per_byte(self) -> float:
        """Bits per byte of a compressor built on the model. Unlike the loss, they compare models across tokenizers."""
        return self.loss * self.tokens / math.log(2) / max(self.bytes, 1)


def evaluate(
    model: LanguageModel, tokenizer: Tokenizer, text: str | Corpus, batch: int, dtype: Any = jnp.float32
) -> Evaluation:
    """Evaluate `model` on a text or on the documents of a corpus, in windows of its context, `batch` at a time.

    Raises:
      ValueError: the text is shorter than two tokens, or the tokenizer cannot encode it.
      FloatingPointError: as `mean_loss` does.
    """
    encoded = encode_corpus(tokenizer, text) if isinstance(text, Corpus) else tokenizer.encode(text)
    ids = token_array(encoded, tokenizer.vocab_size)
    return describe(mean_loss(model, ids, batch, dtype=dtype), tokenizer, ids)


def describe(loss: float, tokenizer: Tokenizer, ids: jax.Array) -> Evaluation:
    """Return the mean `loss` over all of `ids` (N,) except the first, with the lengths for its other units.

    `END_OF_TEXT` counts as the blank line for which it stands, so that units compare across tokenizers.
    """
    host = np.asarray(ids[1:])
    is_end = host == tokenizer.special.get(END_OF_TEXT, -1)
    predicted, ends = tokenizer.decode_bytes(host[~is_end]), len(SEPARATOR) * int(is_end.sum())
    return Evaluation(loss, host.size, len(predicted.decode(errors="replace")) + ends, len(predicted) + ends)


def mean_loss(
    model: LanguageModel,
    tokens: jax.Array,
    batch: int,
    *,
    dtype: Any = jnp.float32,
    mesh: Mesh | None = None,
    at_most: int | None = None,
) -> float:
    """Return the mean loss of `model` in nats over every token of `tokens` (N,) except the first.

    With `at_most`, it is estimated on about that many tokens, in windows spread evenly over the text and always the
    same, so that losses at different steps compare. The devices of `mesh` split each batch.

    Raises:
      FloatingPointError: the loss is NaN; the message names the first layer whose output is not finite.
    """
    mesh = mesh or device_mesh(batch)
    windows = evaluation_windows(tokens, batch, model.config.context)  # inputs, targets, mask: (windows, B, T) each
    n, size = len(windows[0]), batch * model.config.context
    wanted = n if at_most is None else min(n, -(-at_most // size))
    chosen = np.linspace(0, n - 1, wanted).round().astype(int).tolist()
    model, windows = jax.device_put((model, windows), NamedSharding(mesh, P()))
    sums = [_losses_and_counts(model, windows, i, mesh, jnp.dtype(dtype)) for i in chosen]
    losses, counts = (np.asarray(jax.device_get(part), np.float64) for part in zip(*sums, strict=True))  # (n, devices)
    if (bad := np.isnan(losses).any(axis=1)).any():
        model, ids = jax.device_put((model, windows[0][chosen[int(bad.argmax())]]), jax.devices()[0])
        layer, _ = first_nonfinite_output(lambda model, ids: nn.cast(model, dtype)(ids), model, ids)
        cause = (
            f"the first layer whose output is not finite is {layer}" if layer else "a token is not in the vocabulary"
        )
        raise FloatingPointError(f"the loss on this text is NaN: {cause}. Take an earlier checkpoint.")
    return float(losses.sum() / counts.sum())


@functools.partial(jax.jit, static_argnums=(3, 4))
def _losses_and_counts(model: Any, windows: Any, i: Any, mesh: Mesh, dtype: Any) -> tuple[Any, Any]:
    """Return the summed loss of the tokens in batch `i` and their number, per device: (devices,) each.

    The devices do not sum among themselves: with several calls in flight, two CPU devices may execute different calls,
    and would wait for each other for ever.
    """

    def on_one_device(model: Any, inputs: Any, targets: Any, mask: Any) -> Any:
        logits = nn.at_least_float32(nn.cast(model, dtype)(inputs))  # (B/devices, T, V)
        losses = ops.cross_entropy(logits, targets)  # (B/devices, T)
        return jnp.sum(jnp.where(mask, losses, 0))[None], jnp.sum(mask)[None]

    batch, rows = [array[i] for array in windows], P("data")  # (B, T) each
    return jax.shard_map(on_one_device, mesh=mesh, in_specs=(P(), rows, rows, rows), out_specs=rows)(model, *batch)
