"""Generation from text to text: a stream of pieces that never end inside a character."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from .._types import Key
from ..models import Decoder
from ..text import Tokenizer
from .generate import stream
from .sample import Sampler

_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")  # all but tab and line break


def stream_text(
    model: Decoder,
    tokenizer: Tokenizer,
    prompt: str,
    tokens: int,
    *,
    key: Key,
    samplers: Sequence[Sampler] = (),
    stop: int | None = None,
) -> Iterator[str]:
    """Yield the text that the model generates after `prompt`, piece by piece, without the prompt and the `stop` token.

    An empty prompt stands for one line break. Special tokens in the prompt are plain text.

    Raises:
      ValueError: the tokenizer is not the model's or cannot encode the prompt, or `stream` rejects the request.
    """
    if tokenizer.vocab_size != model.config.vocab:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} ids and the model {model.config.vocab}: take both from one run."
        )
    pieces = stream(model, [prompt_ids(tokenizer, prompt)], tokens, key=key, samplers=samplers, stop=stop)
    return decode_stream(tokenizer, ([i for i in piece[0] if i != stop] for piece in pieces))


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Return the ids (T,) of the prompt, or of a line break if it is empty. Raises TypeError, or as `encode`."""
    if not isinstance(prompt, str):
        raise TypeError(f"a prompt must be a str, and is {prompt!r}: `stream` and `generate` take ids (B, T).")
    try:
        return tokenizer.encode(prompt or "\n")
    except ValueError as error:
        if prompt:
            raise
        raise ValueError(
            "an empty prompt stands for a line break, which this tokenizer does not know: give a prompt."
        ) from error


def decode_stream(tokenizer: Tokenizer, pieces: Iterable[Sequence[int] | np.ndarray]) -> Iterator[str]:
    """Decode ids that arrive in pieces, and hold back the bytes of a character until all of them are there.

    The joined texts equal `tokenizer.decode` of all ids: bytes that never complete a character become U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for ids in pieces:
        if text := decoder.decode(tokenizer.decode_bytes(ids)):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def printable(text: str) -> str:
    """Replace the control characters of `text` with U+FFFD: generated ones could move the cursor, or worse."""
    return text.translate(_CONTROLS)
