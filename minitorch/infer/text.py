"""Text in, text out: what a person sees of generation, piece by piece and never half a character."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence

import jax
import numpy as np

from ..models import Transformer
from ..text import Tokenizer
from .generate import stream
from .sample import Sampler

Array = jax.Array
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")  # but tab and line break


def stream_text(
    model: Transformer,
    tokenizer: Tokenizer,
    prompt: str,
    tokens: int,
    *,
    key: Array,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> Iterator[str]:
    """What the model writes after `prompt`, as it comes, without the prompt and the `stop` token.

    An empty prompt starts a new line: the model reads one line break. What looks like a special token is plain text.

    Raises:
      ValueError: the tokenizer is not the model's, cannot encode the prompt, or `stream` refuses the request.
    """
    if tokenizer.vocab_size != model.config.vocab:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids and the model {model.config.vocab}: take both from one run."
        )
    pieces = stream(model, [prompt_ids(tokenizer, prompt)], tokens, key=key, samplers=samplers, stop=stop)
    return decode_pieces(tokenizer, ([i for i in piece[0] if i != stop] for piece in pieces))


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Ids of the prompt, or of a line break if it is empty. Raises ValueError for a character without an id."""
    try:
        return tokenizer.encode(prompt or "\n")
    except ValueError as error:
        if prompt:
            raise
        raise ValueError(
            "an empty prompt starts with a line break, which this tokenizer does not know: give a prompt."
        ) from error


def decode_pieces(tokenizer: Tokenizer, pieces: Iterable[Sequence[int] | np.ndarray]) -> Iterator[str]:
    """Text of ids that arrive piece by piece; a character whose bytes are not all there waits for the rest.

    Joined together, what `tokenizer.decode` gives for all ids: bytes that never become a character are U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for ids in pieces:
        if text := decoder.decode(tokenizer.decode_bytes(ids)):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def printable(text: str) -> str:
    """`text` with U+FFFD for control characters, which a model may write, and which can move the cursor or worse."""
    return text.translate(_CONTROLS)
