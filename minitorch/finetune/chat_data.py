"""Conversations from JSON Lines files, as rows of ids with a mask of the tokens to learn.

A line of conversations is `{"messages": [{"role": "user", "content": "..."}, ...]}`. A line of preferences has
`"messages"` up to the answer, and two answers of the assistant: `"chosen"` and `"rejected"`.

Axes: N conversations, T time.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from .._suggest import did_you_mean_path
from ..data import Corpus, DataError, split, token_array, validate
from ..data.problems import Problem
from ..data.readers import read_objects
from ..text import CHAT_TOKENS, Message, Tokenizer, encode_chat
from ..train.prepare import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._types import Array


class Conversation(NamedTuple):
    """A conversation and its place in a file."""

    place: str
    messages: list[Message]


class PreferencePair(NamedTuple):
    """A conversation with two endings."""

    chosen: Conversation
    rejected: Conversation


class Encoded(NamedTuple):
    """Conversations as ids, padded with 0. The mask is true on the tokens to learn; shift it together with the ids."""

    ids: Array  # (N, T + 1) int32
    mask: Array  # (N, T + 1) booleans


def read_conversations(path: str | Path) -> list[Conversation]:
    """Read the conversations of a file.

    Raises:
      FileNotFoundError: the file does not exist.
      DataError: a line is not a conversation. Names the line.
    """
    return [Conversation(place, _field(place, row, "messages", list)) for place, row in _rows(Path(path))]


def read_preferences(path: str | Path) -> list[PreferencePair]:
    """Read the pairs of answers of a file. Raises as `read_conversations` does."""
    pairs = []
    for place, row in _rows(Path(path)):
        prompt = _field(place, row, "messages", list)
        answers = [_field(place, row, name, str) for name in PreferencePair._fields]
        endings = [[*prompt, Message(role="assistant", content=answer)] for answer in answers]
        pairs.append(PreferencePair(*(Conversation(place, messages) for messages in endings)))
    return pairs


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        near = did_you_mean_path(path)
        raise FileNotFoundError(f"no file {path}: give a file of JSON Lines, with a conversation on each line.{near}")
    return list(read_objects(path))


def _field(place: str, row: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(value := row.get(name), kind):
        what = f"has no field {name!r} that is a {kind.__name__}, only {', '.join(map(repr, row)) or 'none'}"
        raise DataError(Problem("schema", place, what))
    return value


def with_chat_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer` with the special tokens of the chat format. All its other ids stay as they are."""
    missing = [name for name in CHAT_TOKENS if name not in tokenizer.special]
    fields = tokenizer.to_dict()
    return type(tokenizer)(**{**fields, "special": [*fields["special"], *missing]}) if missing else tokenizer


def encode_conversations(tokenizer: Tokenizer, conversations: Sequence[Conversation], context: int) -> Encoded:
    """Encode conversations as rows of `context` + 1 ids. Longer conversations are cut at the end.

    Raises:
      ValueError: a conversation cannot be encoded, or nothing that the assistant says is within the context. Names the
        place of the conversation.
    """
    return _pad([_encode(tokenizer, conversation, context, 0) for conversation in conversations], context)


def encode_preferences(tokenizer: Tokenizer, pairs: Sequence[PreferencePair], context: int) -> tuple[Encoded, Encoded]:
    """Encode both endings; the masks cover the last answers only. Raises as `encode_conversations` does."""

    def encode(conversation: Conversation) -> tuple[list[int], list[bool]]:
        prompt = conversation.messages[:-1]
        learn_from = len(encode_chat(tokenizer, prompt)[0]) if prompt else 0
        return _encode(tokenizer, conversation, context, learn_from)

    chosen, rejected = [encode(pair.chosen) for pair in pairs], [encode(pair.rejected) for pair in pairs]
    return _pad(chosen, context), _pad(rejected, context)


def _encode(
    tokenizer: Tokenizer, conversation: Conversation, context: int, learn_from: int
) -> tuple[list[int], list[bool]]:
    try:
        ids, mask = encode_chat(tokenizer, conversation.messages)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{conversation.place}: {error}") from error
    mask = [False] * learn_from + mask[learn_from:]
    if not any(mask[1 : context + 1]):
        raise ValueError(
            f"{conversation.place}: the assistant says nothing within the first {context + 1} tokens: shorten what"
            " comes before its answer, leave the line out, or take a model with a larger context."
        )
    return ids[: context + 1], mask[: context + 1]


def _pad(rows: list[tuple[list[int], list[bool]]], context: int) -> Encoded:
    ids, mask = np.zeros((len(rows), context + 1), np.int32), np.zeros((len(rows), context + 1), bool)
    for i, (row, learned) in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, learned
    return Encoded(jnp.asarray(ids), jnp.asarray(mask))


def prepare_conversations(
    name: str, conversations: Sequence[Conversation], encoded: Encoded, tokenizer: Tokenizer
) -> tuple[Prepared, Encoded, Encoded]:
    """Return the data of a run, its conversations for training and, the last tenth, for validation.

    Raises:
      ValueError: there are fewer than two conversations, or some are in both parts (`data.DataError`).
    """
    if len(conversations) < 2:
        raise ValueError(
            f"{name} holds {len(conversations)} conversations, but at least two are needed: one for training and one"
            " for validation."
        )
    texts = tuple("\n".join(message["content"] for message in c.messages) for c in conversations)
    places = tuple(c.place for c in conversations)
    corpus = Corpus(Path(name).name, texts, source=f"local file {Path(name).name}", places=places)
    parts = split(corpus)
    report, cut = validate(*parts), len(parts[0].documents)
    train, validation = (Encoded(*(x[part] for x in encoded)) for part in (slice(cut), slice(cut, None)))
    read = [i for c in conversations[:cut] for i in encode_chat(tokenizer, c.messages)[0]]  # Only to count tokens.
    learned = np.asarray(validation.ids)[np.asarray(validation.mask)]  # The loss is that of answers alone.
    ids = [token_array(tokens, tokenizer.vocab_size) for tokens in (read, learned)]
    return Prepared(corpus, parts, report, tokenizer, *ids), train, validation
